import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Interval of asking Redis whether it still writes a file. */
const POLL_INTERVAL_MS = 100;

/** Redis' report about its files. @see https://redis.io/docs/latest/commands/info/ */
type Persistence = Readonly<Record<string, string>>;

/** Fields that are 1 while Redis writes a file or is going to. */
const BUSY_FIELDS = ['loading', 'rdb_bgsave_in_progress', 'aof_rewrite_in_progress', 'aof_rewrite_scheduled'] as const;

/**
 * Writes the files of Redis again, without the values that were deleted before: the append-only file, and the snapshot
 * where Redis makes snapshots. Returns the names of the rewritten files.
 * @throws Error when Redis refuses a command or cannot write the file
 */
export async function rewriteRedisFiles(redis: Redis, signal: AbortSignal): Promise<string[]> {
  const written: string[] = [];
  const { aof_enabled: hasAppendOnlyFile } = await waitUntilIdle(redis, signal);
  if (hasAppendOnlyFile === '1') {
    await redis.call('BGREWRITEAOF');
    assertWritten(await waitUntilIdle(redis, signal), 'aof_last_bgrewrite_status');
    written.push('append-only file');
  }
  if (await makesSnapshots(redis)) {
    await redis.call('BGSAVE');
    assertWritten(await waitUntilIdle(redis, signal), 'rdb_last_bgsave_status');
    written.push('snapshot');
  }
  return written;
}

/** Waits until Redis writes no file: a rewrite that began before a deletion would contain the value. */
async function waitUntilIdle(redis: Redis, signal: AbortSignal): Promise<Persistence> {
  for (;;) {
    const persistence = await readPersistence(redis);
    if (BUSY_FIELDS.every((field) => persistence[field] !== '1')) return persistence;
    await sleep(POLL_INTERVAL_MS, undefined, { signal });
  }
}

async function readPersistence(redis: Redis): Promise<Persistence> {
  const lines = (await redis.info('persistence')).split('\r\n');
  return Object.fromEntries(lines.map((line) => line.split(':', 2) as [string, string]));
}

function assertWritten(persistence: Persistence, field: string): void {
  const status = persistence[field];
  if (status !== 'ok') throw new Error(`Redis could not write its file: ${field} is ${status}`);
}

/** Returns whether Redis saves snapshots by itself. A Redis that hides its settings counts as one that does. */
async function makesSnapshots(redis: Redis): Promise<boolean> {
  const [, points] = await redis.config('GET', 'save').then(
    (answer) => answer,
    () => [],
  );
  return points !== '';
}
