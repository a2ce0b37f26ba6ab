import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../platform/config/config';
import type { TaskResult, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';

/** Number of years after this one that always have partitions. */
const YEARS_AHEAD = 2;

/**
 * Attaching waits for current writers, and later writers wait for it, so it gives up soon and retries. Below
 * deadlock_timeout, so that a deadlock never ends a writer.
 */
const LOCK_TIMEOUT = '500ms';

/** Attempts of a step and the pause between them; after the last one the run fails and is retried. */
const MAX_ATTEMPTS = 10;
const RETRY_DELAY_MS = 500;

/** SQLSTATE: lock_timeout; deadlock; a row inserted into the default partition meanwhile. */
const RETRYABLE_SQLSTATES: ReadonlySet<unknown> = new Set(['55P03', '40P01', '23514']);

/** Parts of default partitions drained in one run; the next run continues. */
const MAX_DRAINED_PARTS = 500;

/** Keeps the partitions of analytics, security_logs and audit_logs ahead of the calendar. */
export const CREATE_PARTITIONS: ScheduledTask = {
  id: 'create-partitions',
  description:
    'Creates the partitions of this year and the next two, moves rows out of the default ones and archives old ones ' +
    '(PARTITION_ARCHIVE_AFTER_YEARS).',
  cron: '17 3 * * *',
  timezone: 'UTC',
  timeoutMs: 10 * 60_000,
  retries: 5,
  missedRunImpact:
    'Nothing changes for two years; then new rows go to the default partitions, which are slower to search.',
  runsAtBoot: true,
  run: createPartitions,
};

/** Runs each step in its own transaction, so that no lock outlives it. */
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
  // After draining: creating a partition moves all its rows out of the default one at once.
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
