import { Injectable } from '@nestjs/common';

/** Counts of reads by source, and of new versions, since the process started. */
@Injectable()
export class CacheStats {
  /** Served from this process' memory. */
  memory = 0;
  /** Served from Redis. */
  redis = 0;
  /** Loaded from PostgreSQL and stored. */
  database = 0;
  /** Loaded from PostgreSQL because the cache was bypassed. */
  bypassed = 0;
  /** New versions set by this process. */
  bumps = 0;
}
