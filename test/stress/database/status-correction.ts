import { migrationSource } from '../../../src/platform/database/schema/migration-source';
import { withClient } from '../../../src/local-services/database-setup';
import { createStressServices } from '../stress-services';

/** The migration that corrects the statuses of earlier versions. */
const MIGRATION = 'ProposalHistory1795305916000';

type Query = <Row>(sql: string, values?: unknown[]) => Promise<Row[]>;

/** Proposals by Upwork's status and their own, before and after; `wonBefore` and `wonAfter` count times of a win. */
export interface StatusCorrection {
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly wonBefore: number;
  readonly wonAfter: number;
  readonly historyRows: number;
  /** True when `down` restored every row. */
  readonly isRestored: boolean;
  readonly migrationMs: number;
}

/** Old rows: each job has one proposal, and every hundredth won one a later draft for the same job. */
const OLD_ROWS = `
  WITH job AS (
    INSERT INTO jobs (user_id, title, source_key) SELECT $1, 'Job ' || n, 'upwork:' || n
    FROM generate_series(1, $2::integer) n RETURNING id
  ), numbered AS (
    SELECT id, row_number() OVER (ORDER BY id) AS n FROM job
  ), word AS (
    SELECT id, n, (ARRAY['ACCEPTED', 'Activated', 'OFFERED', 'HIRED', 'DECLINED', 'WITHDRAWN', 'PENDING'])[n % 8 + 1]
      AS upwork
    FROM numbered
  ), sent AS (
    INSERT INTO proposals (user_id, job_id, upwork_proposal_id, upwork_status, status, submitted_at)
    SELECT $1, id, 'p' || n, upwork, CASE n % 8 WHEN 4 THEN 'rejected' WHEN 5 THEN 'withdrawn' WHEN 6 THEN 'submitted'
      WHEN 7 THEN 'submitted' ELSE CASE WHEN n % 5 = 0 THEN 'archived' ELSE 'accepted' END END,
      now() - interval '9 days'
    FROM word
  )
  INSERT INTO proposals (user_id, job_id) SELECT $1, id FROM word WHERE n % 8 = 0 AND n % 25 = 1`;

/** An archived proposal was won before. */
const WON = `ALTER TABLE proposals DISABLE TRIGGER set_decision_times;
  UPDATE proposals SET won_at = now() - interval '1 day' WHERE status IN ('accepted', 'archived');
  ALTER TABLE proposals ENABLE TRIGGER set_decision_times`;

const SNAPSHOT = `SELECT id, status, upwork_status, submitted_at, won_at, rejected_at FROM proposals ORDER BY id`;

async function correctStatuses(migratorUrl: string, query: Query, rows: number): Promise<StatusCorrection> {
  await revertTo(migratorUrl, query);
  const [user] = await query<{ id: number }>(
    `INSERT INTO users (email, encrypted_password) VALUES ('old@example.org', 'x') RETURNING id`,
  );
  await query(OLD_ROWS, [user!.id, rows]);
  for (const statement of WON.split(';')) await query(statement);
  const [snapshot, before, wonBefore] = [await query(SNAPSHOT), await countByStatus(query), await countWon(query)];
  const began = performance.now();
  await migrate(migratorUrl);
  const migrationMs = Math.round(performance.now() - began);
  const [after, wonAfter] = [await countByStatus(query), await countWon(query)];
  const [history] = await query<{ count: number }>('SELECT count(*)::integer FROM proposal_status_changes');
  await revertTo(migratorUrl, query);
  const isRestored = JSON.stringify(await query(SNAPSHOT)) === JSON.stringify(snapshot);
  await migrate(migratorUrl);
  return { before, after, wonBefore, wonAfter, historyRows: history!.count, isRestored, migrationMs };
}

/** Corrects old rows by the migration, reverts it, and runs it again. @throws Error when a row is not restored */
export async function stressStatusCorrection({ rows }: { rows: number }): Promise<StatusCorrection> {
  const services = createStressServices();
  try {
    await services.start();
    const query: Query = (sql, values = []) =>
      withClient(services.buildUrl('superuser'), async (client) => (await client.query(sql, values)).rows as never);
    const result = await correctStatuses(services.buildUrl('migrator'), query, rows);
    if (!result.isRestored) throw new Error(`the rows differ after down: ${JSON.stringify(result)}`);
    return result;
  } finally {
    await services.stop();
  }
}

/** Reverts the latest migrations until the correction has not run. */
async function revertTo(url: string, query: Query): Promise<void> {
  const source = await migrationSource(url).initialize();
  try {
    const isDone = async () => (await query('SELECT FROM schema_migrations WHERE name = $1', [MIGRATION])).length > 0;
    while (await isDone()) await source.undoLastMigration();
  } finally {
    await source.destroy();
  }
}

async function migrate(url: string): Promise<void> {
  const source = await migrationSource(url).initialize();
  await source.runMigrations().finally(() => source.destroy());
}

async function countByStatus(query: Query): Promise<Record<string, number>> {
  const rows = await query<{ key: string; count: number }>(
    `SELECT concat_ws(' ', upwork_status, status) AS key, count(*)::integer FROM proposals GROUP BY 1 ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}

async function countWon(query: Query): Promise<number> {
  const [row] = await query<{ count: number }>('SELECT count(won_at)::integer FROM proposals');
  return row!.count;
}
