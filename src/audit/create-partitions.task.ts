import type { Figures, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';

/** This year and so many more always have their partitions. */
const YEARS_AHEAD = 2;

/** Attaching waits for whoever writes, and whoever writes next waits behind it: better to give up soon and try again. */
const LOCK_TIMEOUT = '2s';

/** Keeps the yearly partitions of analytics, security_logs and audit_logs ahead of the calendar. */
export const CREATE_PARTITIONS: ScheduledTask = {
  id: 'create-partitions',
  description: 'Makes the yearly partitions of this year and two ahead, and moves stray rows into theirs.',
  cron: '17 3 * * *',
  timezone: 'UTC',
  timeoutMs: 10 * 60_000,
  retries: 5,
  whatAMissMeans: 'Nothing for two years; then rows lie in the default partitions, where they are slower to find.',
  soonAfterBoot: true,
  run: createPartitions,
};

/** Each table by a transaction of its own, so that no lock outlives its table. */
async function createPartitions({ signal, asWorker }: TaskContext): Promise<Figures> {
  const made = await asWorker(async (unit) => {
    await unit.query(`SELECT set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
    return unit.query<{ name: string }>('SELECT name FROM app.create_partitions($1) AS name', [YEARS_AHEAD]);
  });
  const tables = await asWorker((unit) =>
    unit.query<{ table_name: string }>('SELECT table_name FROM app.partitioned_tables ORDER BY table_name'),
  );
  const drained: string[] = [];
  for (const { table_name: table } of tables) {
    signal.throwIfAborted();
    const names = await asWorker(async (unit) => {
      await unit.query(`SELECT set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
      return unit.query<{ name: string }>('SELECT name FROM app.drain_default_partition($1) AS name', [table]);
    });
    drained.push(...names.map(({ name }) => name));
  }
  return { made: made.map(({ name }) => name).join(', ') || 'none', drained: drained.join(', ') || 'none' };
}
