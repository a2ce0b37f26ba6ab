import { rewriteRedisFiles } from '../platform/redis/redis-files';
import { RedisClients } from '../platform/redis/redis-clients';
import { eraseTenantKeys } from '../platform/redis/tenant-keys';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../platform/scheduler/scheduled-task';

/**
 * Time before the last run whose erasures are handled again: such an erasure was committed, but its values in Redis may
 * have been deleted after that run.
 */
const OVERLAP_MS = 10 * 60_000;

const ERASED_USERS = `SELECT erased AS id FROM app.erased_users($1) AS erased`;

const ANALYZE_TABLES = 'SELECT app.analyze_tables() AS tables';

/** Removes what an erasure cannot remove at once. The certificate of an erasure states the time of the next run. */
export const REMOVE_ERASED_TEXTS: ScheduledTask = {
  id: 'remove-erased-texts',
  description:
    'After the erasure of an account: deletes values of the user that Redis still has, and writes the files of Redis ' +
    'again without the deleted values.',
  cron: '17 * * * *',
  timezone: 'UTC',
  timeoutMs: 20 * 60_000,
  retries: 3,
  missedRunImpact: 'The files of Redis contain texts of erased accounts longer than their certificates state.',
  run: removeErasedTexts,
};

async function removeErasedTexts({
  service,
  readOnly,
  asWorker,
  lastResult,
  signal,
}: TaskContext): Promise<TaskResult | Skipped> {
  const startedAt = Date.now();
  const handledUntil = Number(lastResult?.['handledUntil'] ?? 0);
  const since = new Date(Math.max(0, handledUntil - OVERLAP_MS));
  const users = await readOnly((unit) => unit.query<{ id: number }>(ERASED_USERS, [since]));
  if (users.length === 0) return { skipped: 'no account was erased since the last run' };
  const redis = service(RedisClients).commands;
  let deletedKeys = 0;
  for (const { id } of users) deletedKeys += await eraseTenantKeys(redis, id);
  const files = await rewriteRedisFiles(redis, signal);
  const [analyzed] = await asWorker((unit) => unit.query<{ tables: number }>(ANALYZE_TABLES));
  return {
    erasures: users.length,
    deletedKeys,
    rewrittenFiles: files.join(', '),
    analyzedTables: analyzed?.tables ?? 0,
    handledUntil: startedAt,
  };
}
