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
const REQUEST_VACUUM = 'SELECT app.request_vacuum($1) AS tables';

/** Longer than autovacuum takes to give way to a change of a table's settings. */
const LOCK_TIMEOUT = '10s';

/** Removes what an erasure cannot remove at once. The certificate of an erasure states the time of the next run. */
export const REMOVE_ERASED_TEXTS: ScheduledTask = {
  id: 'remove-erased-texts',
  description:
    'After the erasure of an account: deletes values of the user that Redis still has, writes the files of Redis ' +
    'again, computes the statistics of the tables again, and lets autovacuum remove the deleted rows.',
  cron: '17 * * * *',
  timezone: 'UTC',
  timeoutMs: 20 * 60_000,
  retries: 3,
  missedRunImpact: 'Files contain texts of erased accounts longer than the certificates of their erasure state.',
  run: removeErasedTexts,
};

async function removeErasedTexts(context: TaskContext): Promise<TaskResult | Skipped> {
  const startedAt = Date.now();
  const last = readLastResult(context);
  const since = new Date(Math.max(0, last.handledUntil - OVERLAP_MS));
  const users = await context.readOnly((unit) => unit.query<{ id: number }>(ERASED_USERS, [since]));
  if (users.length === 0 && last.tablesToVacuum === 0) return { skipped: 'no account was erased since the last run' };
  const handledUntil = users.length > 0 ? startedAt : last.handledUntil;
  return {
    erasures: users.length,
    ...(users.length > 0 && (await removeCopies(context, users))),
    tablesToVacuum: await callForTables(context, REQUEST_VACUUM, [new Date(handledUntil)]),
    handledUntil,
  };
}

function readLastResult({ lastResult }: TaskContext): { handledUntil: number; tablesToVacuum: number } {
  return {
    handledUntil: Number(lastResult?.['handledUntil'] ?? 0),
    tablesToVacuum: Number(lastResult?.['tablesToVacuum'] ?? 0),
  };
}

async function removeCopies(context: TaskContext, users: readonly { id: number }[]): Promise<TaskResult> {
  const redis = context.service(RedisClients).commands;
  let deletedKeys = 0;
  for (const { id } of users) deletedKeys += await eraseTenantKeys(redis, id);
  const files = await rewriteRedisFiles(redis, context.signal);
  const analyzedTables = await callForTables(context, ANALYZE_TABLES);
  return { deletedKeys, rewrittenFiles: files.join(', '), analyzedTables };
}

/** Calls a function that changes tables one after the other, and returns its number of tables. */
function callForTables({ asWorker }: TaskContext, sql: string, values: readonly unknown[] = []): Promise<number> {
  return asWorker(async (unit) => {
    await unit.query(`SELECT set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
    const [row] = await unit.query<{ tables: number }>(sql, values);
    return row?.tables ?? 0;
  });
}
