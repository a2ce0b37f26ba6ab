import { Injectable } from '@nestjs/common';

/** What came of the reads through the cache since the process started, and how often versions were changed. */
@Injectable()
export class CacheStats {
  /** Served from this process' memory. */
  memory = 0;
  /** Served from Redis. */
  redis = 0;
  /** Asked of PostgreSQL, and kept. */
  database = 0;
  /** Asked of PostgreSQL, since the cache stood aside. */
  bypassed = 0;
  /** New versions given by this process. */
  bumps = 0;
}
