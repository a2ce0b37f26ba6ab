import { randomUUID } from 'node:crypto';
import { OverviewService } from '../../../src/admin/dashboard/overview/overview.service';
import { CREATE_PARTITIONS } from '../../../src/audit/create-partitions.task';
import { Database } from '../../../src/platform/database/database';
import { HealthService } from '../../../src/platform/health/health.service';
import { runAsUser } from '../../support/run-as-user';
import { InProcessApi } from '../in-process-api';
import { Latencies } from '../latencies';
import { pause, waitFor } from '../../support/wait-for';

/** Sizes of the scenario. */
export interface PartitionsOptions {
  /**
   * Milliseconds from the start of the writers to the end of the current partition; they continue until rows follow in
   * the default one.
   */
  readonly boundMs: number;
  readonly writers: number;
  /** Rows in each default partition before it is drained. */
  readonly defaultRows: number;
}

/** The result: nothing may fail or be lost, and each status must be as named. */
export interface PartitionsResult {
  readonly acrossTheBound: {
    readonly inserts: number;
    readonly failed: number;
    readonly inDefault: number;
    readonly lost: number;
  };
  readonly withoutPartition: {
    readonly serverStarts: boolean;
    readonly health: string;
    readonly dashboard: string;
    readonly inserts: number;
    readonly failed: number;
  };
  readonly drainedUnderInserts: {
    readonly moved: number;
    readonly inserts: number;
    readonly failed: number;
    readonly lost: number;
    readonly leftInDefault: number;
    readonly longestWaitMs: number;
    readonly longestWaitBeforeMs: number;
    readonly dashboard: string;
  };
}

/** The key of both is the instant of writing; analytics, whose key is a day, cannot end within ten seconds. */
const LOGS = ['audit_logs', 'security_logs'];
const YEAR = new Date().getUTCFullYear();

const LOAD_TIME = 'writes are counted for a fixed time';

interface Written {
  readonly waits: Latencies;
  failed: number;
}

/**
 * Writes continuously while the current partition of both logs ends, then without a partition, then while the task
 * drains the default partitions. Every insert is one job with its row in either log; all are counted.
 */
export async function stressPartitions({
  boundMs,
  writers,
  defaultRows,
}: PartitionsOptions): Promise<PartitionsResult> {
  const served = new InProcessApi();
  return served.run(async () => {
    const [tenant] = await served.createUsers(1);
    const write = (during: Promise<unknown>): Promise<Written> => writeDuring(served, tenant!, writers, during);
    const acrossTheBound = await stressYearEnd(served, write, boundMs);
    const withoutPartition = await stressMissingPartition(served, write);
    const drainedUnderInserts = await stressDrain(served, write, defaultRows);
    return { acrossTheBound, withoutPartition, drainedUnderInserts };
  });
}

type Write = (during: Promise<unknown>) => Promise<Written>;

async function stressYearEnd(
  served: InProcessApi,
  write: Write,
  boundMs: number,
): Promise<PartitionsResult['acrossTheBound']> {
  for (const log of LOGS) {
    await served.query(`DROP TABLE ${log}_${YEAR}`);
    const [bound] = await served.query<{ at: string }>(
      `SELECT (clock_timestamp() + $1::integer * interval '1 millisecond')::text AS at`,
      [boundMs],
    );
    await served.query(
      `CREATE TABLE ${log}_${YEAR} PARTITION OF ${log} FOR VALUES FROM ('${YEAR}-01-01') TO ('${bound!.at}')`,
    );
    await served.query(
      `ALTER TABLE ${log}_${YEAR} OWNER TO gigvault_owner; SELECT app.secure_partition('${log}', '${log}_${YEAR}')`,
    );
  }
  const { waits, failed } = await write(waitForDefaultRows(served));
  return {
    inserts: waits.count,
    failed,
    inDefault: await countRows(served, 'audit_logs_default'),
    lost: await countLost(served),
  };
}

async function waitForDefaultRows(served: InProcessApi): Promise<void> {
  await waitFor('a row is in the default partition', async () => (await countRows(served, 'audit_logs_default')) > 0);
}

async function stressMissingPartition(
  served: InProcessApi,
  write: Write,
): Promise<PartitionsResult['withoutPartition']> {
  for (const log of LOGS) {
    await served.query(`ALTER TABLE ${log} DETACH PARTITION ${log}_${YEAR}`);
    await served.query(`ALTER TABLE ${log}_${YEAR} SET SCHEMA archive`);
  }
  await served.restart();
  const health = served.get(HealthService);
  // A server that has just started on a busy machine may need more than the second of a probe.
  health.checkTimeoutMs = 60_000;
  const { status, checks } = await health.ready();
  const { waits, failed } = await write(pause(1_000, LOAD_TIME));
  return {
    serverStarts: status === 'ready',
    health: checks.partitions?.status ?? 'unknown',
    dashboard: await dashboard(served),
    inserts: waits.count,
    failed,
  };
}

async function stressDrain(
  served: InProcessApi,
  write: Write,
  defaultRows: number,
): Promise<PartitionsResult['drainedUnderInserts']> {
  await served.query(`INSERT INTO audit_logs (user_id, table_name, record_id, action, new_values)
    SELECT 1, 'defaultRows', n, 'INSERT', '{"title": "A job like any other"}'
    FROM generate_series(1, ${defaultRows}) n`);
  await served.query(
    `INSERT INTO security_logs (user_id, event_type, success)
     SELECT 1, 'stress.stray', true FROM generate_series(1, ${defaultRows})`,
  );
  const before = await write(pause(1_000, LOAD_TIME));
  const moved = await countRows(served, 'audit_logs_default');
  const during = await write(pause(200, LOAD_TIME).then(() => createPartitions(served)));
  const defaultRowsLost =
    defaultRows -
    (await countRows(served, `audit_logs WHERE table_name = 'defaultRows'`)) +
    (defaultRows - (await countRows(served, `security_logs WHERE event_type = 'stress.stray'`)));
  return {
    moved,
    inserts: during.waits.count,
    failed: before.failed + during.failed,
    lost: (await countLost(served)) + defaultRowsLost,
    leftInDefault: (await countRows(served, 'audit_logs_default')) + (await countRows(served, 'security_logs_default')),
    longestWaitMs: during.waits.longestMs,
    longestWaitBeforeMs: before.waits.longestMs,
    dashboard: await dashboard(served),
  };
}

/** Runs the task as the scheduler does: writers may hold its locks for longer than one run waits. */
async function createPartitions(served: InProcessApi): Promise<void> {
  for (let retry = 0; ; retry += 1) {
    try {
      await served.runTask(CREATE_PARTITIONS);
      return;
    } catch (error) {
      if (retry === CREATE_PARTITIONS.retries) throw error;
    }
  }
}

/** Writes units of one job, which the trigger audits, and one security event, by concurrent writers. */
async function writeDuring(
  served: InProcessApi,
  tenant: number,
  writers: number,
  during: Promise<unknown>,
): Promise<Written> {
  const written: Written = { waits: new Latencies(), failed: 0 };
  const database = served.get(Database);
  let isOver = false;
  const over = during.finally(() => (isOver = true));
  const writer = async (): Promise<void> => {
    while (!isOver) {
      const insert = (): Promise<void> =>
        database.transaction(async (unit) => {
          await unit.query(`INSERT INTO jobs (source_key, title) VALUES ($1, 'A job')`, [`upwork:${randomUUID()}`]);
          await unit.query(`SELECT auth.log_event('stress.insert', $1, true, NULL, NULL, NULL)`, [tenant]);
        });
      await runAsUser(tenant, () => written.waits.measure(insert)).catch(() => (written.failed += 1));
    }
  };
  await Promise.all([over, ...Array.from({ length: writers }, writer)]);
  return written;
}

/** Counts jobs without exactly one row in either log, in any partition. */
async function countLost(served: InProcessApi): Promise<number> {
  const archivedAudits = await countArchived(served, 'audit_logs', `table_name = 'jobs'`);
  const archivedEvents = await countArchived(served, 'security_logs', `event_type = 'stress.insert'`);
  const [row] = await served.query<{ lost: string }>(`
    SELECT 2 * (SELECT count(*) FROM jobs)
      - (SELECT count(*) FROM audit_logs WHERE table_name = 'jobs')
      - (SELECT count(*) FROM security_logs WHERE event_type = 'stress.insert')
      - ${archivedAudits} - ${archivedEvents} AS lost`);
  return Number(row!.lost);
}

async function countArchived(served: InProcessApi, log: string, condition: string): Promise<number> {
  const [there] = await served.query<{ name: string | null }>(
    `SELECT to_regclass('archive.${log}_${YEAR}')::text AS name`,
  );
  return there?.name ? countRows(served, `archive.${log}_${YEAR} WHERE ${condition}`) : 0;
}

async function countRows(served: InProcessApi, from: string): Promise<number> {
  const [row] = await served.query<{ count: string }>(`SELECT count(*) FROM ${from}`);
  return Number(row!.count);
}

/** Returns the health status of the dashboard. */
async function dashboard(served: InProcessApi): Promise<string> {
  const { statuses: lights } = await runAsUser(1, () => served.get(OverviewService).read(), { role: 'admin' });
  return lights.find(({ name }) => /partition/i.test(name))?.level ?? 'not shown';
}
