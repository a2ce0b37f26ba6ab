import { Injectable } from '@nestjs/common';
import { RedisClients } from '../platform/redis/redis-clients';

/** A document that Upwork does not accept. */
export interface RefusedDocument {
  readonly name: string;
  readonly since: Date;
}

const KEY = 'upwork:refused-documents';

/** Ends the alarm of a document that a later version does not use. A used one is tried, and recorded, every day. */
const KEPT_SECONDS = 30 * 86_400;

/** The documents that Upwork refused. Each is an alarm for the operator, until a call with the document succeeds. */
@Injectable()
export class RefusedDocumentsService {
  constructor(private readonly redis: RedisClients) {}

  /** Records a refusal; the time of the first one stays. */
  async add(name: string): Promise<void> {
    await this.redis.commands.hsetnx(KEY, name, Date.now());
    await this.redis.commands.expire(KEY, KEPT_SECONDS);
  }

  /** Ends the alarm of a document. */
  async remove(name: string): Promise<void> {
    await this.redis.commands.hdel(KEY, name);
  }

  /** Returns the documents in the order of their names. */
  async list(): Promise<RefusedDocument[]> {
    const entries = Object.entries(await this.redis.commands.hgetall(KEY));
    return entries.sort().map(([name, at]) => ({ name, since: new Date(Number(at)) }));
  }
}
