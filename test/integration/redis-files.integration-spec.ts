import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Redis from 'ioredis';
import { rewriteRedisFiles } from '../../src/platform/redis/redis-files';
import { DedicatedRedis } from '../support/dedicated-redis';
import { readFiles } from '../support/marker-search';

describe(rewriteRedisFiles.name, () => {
  const server = new DedicatedRedis(false);
  const { signal } = new AbortController();
  let redis: Redis;

  beforeAll(async () => {
    await server.start();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    await redis.config('SET', 'appendonly', 'yes');
    await redis.config('SET', 'save', '3600 1');
    // The first setting starts a rewrite.
    await rewriteRedisFiles(redis, signal);
  });

  /** Writes and deletes a value. The files then contain it. */
  async function deleteValue(value: string): Promise<void> {
    await redis.set('deleted', value);
    await redis.save();
    await redis.del('deleted');
  }

  it('removes deleted values from the append-only file and the snapshot', async () => {
    await redis.set('kept', 'a-kept-value');
    await deleteValue('a-deleted-value');
    expect(readFiles(server.folder).includes('a-deleted-value')).toBe(true);

    expect(await rewriteRedisFiles(redis, signal)).toEqual(['append-only file', 'snapshot']);

    expect(readFiles(server.folder).includes('a-deleted-value')).toBe(false);
    expect(readFiles(server.folder).includes('a-kept-value')).toBe(true);
  });

  it('waits for a rewrite that began before, and then rewrites', async () => {
    await redis.set('deleted', 'a-value-of-the-earlier-rewrite');
    await redis.call('BGREWRITEAOF');
    await redis.del('deleted');

    await rewriteRedisFiles(redis, signal);

    expect(readFiles(join(server.folder, 'data', 'appendonlydir')).includes('a-value-of-the-earlier')).toBe(false);
  });

  it('writes no file where Redis keeps none', async () => {
    await redis.config('SET', 'save', '');
    await redis.config('SET', 'appendonly', 'no');
    const before = readdirSync(join(server.folder, 'data'));

    expect(await rewriteRedisFiles(redis, signal)).toEqual([]);

    expect(readdirSync(join(server.folder, 'data'))).toEqual(before);
  });
});
