import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../platform/config/config';
import type { TaskResult, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';

/** This year and so many more always have their partitions. */
const YEARS_AHEAD = 2;

/**
 * Attaching waits for whoever writes, and whoever writes next waits behind it: better to give up soon and try again; below
 * deadlock_timeout, so that it is never a writer who is ended.
 */
const LOCK_TIMEOUT = '500ms';

/** Tries and the pause before the next; after that the run fails and is retried as a whole. */
const MAX_ATTEMPTS = 10;
const RETRY_DELAY_MS = 500;

/** SQLSTATE: lock_timeout; a deadlock; a row that came into the default partition meanwhile. */
const RETRYABLE_SQLSTATES: ReadonlySet<unknown> = new Set(['55P03', '40P01', '23514']);

/** Parts of default partitions drained in one run; the next goes on. */
const MAX_DRAINED_PARTS = 500;

/** Keeps the partitions of analytics, security_logs and audit_logs ahead of the calendar. */
export const CREATE_PARTITIONS: ScheduledTask = {
  id: 'create-partitions',
  description:
    'Makes the yearly partitions of this year and two ahead, moves stray rows into theirs, and archives old ones (PARTITION_ARCHIVE_AFTER_YEARS).',
  cron: '17 3 * * *',
  timezone: 'UTC',
  timeoutMs: 10 * 60_000,
  retries: 5,
  missedRunImpact: 'Nothing for two years; then rows lie in the default partitions, where they are slower to find.',
  runsAtBoot: true,
  run: createPartitions,
};

/** Each step is a transaction of its own, so that no lock outlives it. */
async function createPartitions(context: TaskContext): Promise<TaskResult> {
  const { partitionYears } = context.service(Config).retention;
  const tables = await queryNames(
    context,
    'SELECT table_name AS name FROM app.partitioned_tables ORDER BY table_name',
    [],
  );
  const drained: string[] = [];
  for (const table of tables) {
    for (;;) {
      const parts = await queryNames(context, 'SELECT name FROM app.drain_default_partition($1) AS name', [table]);
      drained.push(...parts);
      if (parts.length === 0 || drained.length >= MAX_DRAINED_PARTS) break;
    }
  }
  // After the draining: to make a partition moves what the default one holds of it, however much.
  const made = await queryNames(context, 'SELECT name FROM app.create_partitions($1) AS name', [YEARS_AHEAD]);
  const archived =
    partitionYears > 0
      ? await queryNames(context, 'SELECT name FROM app.archive_partitions($1) AS name', [partitionYears])
      : [];
  return { made: joinNames(made), drained: joinNames(drained), archived: joinNames(archived) };
}

async function queryNames(
  { signal, asWorker }: TaskContext,
  sql: string,
  values: readonly unknown[],
): Promise<string[]> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const rows = await asWorker(async (unit) => {
        await unit.query(`SELECT set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
        return unit.query<{ name: string }>(sql, values);
      });
      return rows.map(({ name }) => name);
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !RETRYABLE_SQLSTATES.has((error as { code?: unknown }).code)) throw error;
      await sleep(RETRY_DELAY_MS, undefined, { signal });
    }
  }
}

function joinNames(found: readonly string[]): string {
  return found.join(', ') || 'none';
}
