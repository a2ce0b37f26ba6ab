import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OverviewService } from '../../src/admin/overview.service';
import { CREATE_PARTITIONS } from '../../src/audit/create-partitions.task';
import { Database } from '../../src/platform/database/database';
import { HealthChecks } from '../../src/platform/health/health-checks';
import { within } from '../support/within';
import { Served } from './served';
import { Waits } from './waits';

/** Sizes of the proof. */
export interface PartitionsOptions {
  /** The current partition ends so many milliseconds after the writers began; they go on as long again. */
  readonly boundMs: number;
  readonly writers: number;
  /** Rows that already lie in each default partition when it is drained. */
  readonly strays: number;
}

/** What was found: nothing may fail or be lost, and the lights must be as named. */
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

/** Both have the instant of writing as their key; analytics, whose key is a day, cannot end in ten seconds. */
const LOGS = ['audit_logs', 'security_logs'];
const YEAR = new Date().getUTCFullYear();

interface Written {
  readonly waits: Waits;
  failed: number;
}

/**
 * Writes without a pause while the current partition of both logs ends, then while there is none at all, then while the
 * task drains what lies in the default partitions. Every insert is one job with its row in either log; they are counted.
 */
export async function provePartitions({ boundMs, writers, strays }: PartitionsOptions): Promise<PartitionsResult> {
  const served = new Served();
  return served.during(async () => {
    const [tenant] = await served.users(1);
    const write = (during: Promise<unknown>): Promise<Written> => writing(served, tenant!, writers, during);
    const acrossTheBound = await proveBound(served, write, boundMs);
    const withoutPartition = await proveNone(served, write);
    const drainedUnderInserts = await proveDrain(served, write, strays);
    return { acrossTheBound, withoutPartition, drainedUnderInserts };
  });
}

type Write = (during: Promise<unknown>) => Promise<Written>;

async function proveBound(served: Served, write: Write, boundMs: number): Promise<PartitionsResult['acrossTheBound']> {
  for (const log of LOGS) {
    await served.sql(`DROP TABLE ${log}_${YEAR}`);
    const [bound] = await served.sql<{ at: string }>(
      `SELECT (clock_timestamp() + $1::integer * interval '1 millisecond')::text AS at`,
      [boundMs],
    );
    await served.sql(
      `CREATE TABLE ${log}_${YEAR} PARTITION OF ${log} FOR VALUES FROM ('${YEAR}-01-01') TO ('${bound!.at}')`,
    );
    await served.sql(
      `ALTER TABLE ${log}_${YEAR} OWNER TO gigvault_owner; SELECT app.secure_partition('${log}', '${log}_${YEAR}')`,
    );
  }
  const { waits, failed } = await write(sleep(2 * boundMs));
  return {
    inserts: waits.count,
    failed,
    inDefault: await countOf(served, 'audit_logs_default'),
    lost: await lostOf(served),
  };
}

async function proveNone(served: Served, write: Write): Promise<PartitionsResult['withoutPartition']> {
  for (const log of LOGS) {
    await served.sql(`ALTER TABLE ${log} DETACH PARTITION ${log}_${YEAR}`);
    await served.sql(`ALTER TABLE ${log}_${YEAR} SET SCHEMA archive`);
  }
  await served.restart();
  const { status, checks } = await served.get(HealthChecks).ready();
  const { waits, failed } = await write(sleep(1_000));
  return {
    serverStarts: status === 'ready',
    health: checks.partitions?.status ?? 'not told',
    dashboard: await dashboard(served),
    inserts: waits.count,
    failed,
  };
}

async function proveDrain(
  served: Served,
  write: Write,
  strays: number,
): Promise<PartitionsResult['drainedUnderInserts']> {
  await served.sql(`INSERT INTO audit_logs (user_id, table_name, record_id, action, new_values)
    SELECT 1, 'strays', n, 'INSERT', '{"title": "A job like any other"}' FROM generate_series(1, ${strays}) n`);
  await served.sql(
    `INSERT INTO security_logs (user_id, event_type, success) SELECT 1, 'proof.stray', true FROM generate_series(1, ${strays})`,
  );
  const before = await write(sleep(1_000));
  const moved = await countOf(served, 'audit_logs_default');
  const during = await write(sleep(200).then(() => served.run(CREATE_PARTITIONS)));
  const straysLost =
    strays -
    (await countOf(served, `audit_logs WHERE table_name = 'strays'`)) +
    (strays - (await countOf(served, `security_logs WHERE event_type = 'proof.stray'`)));
  return {
    moved,
    inserts: during.waits.count,
    failed: before.failed + during.failed,
    lost: (await lostOf(served)) + straysLost,
    leftInDefault: (await countOf(served, 'audit_logs_default')) + (await countOf(served, 'security_logs_default')),
    longestWaitMs: during.waits.longestMs,
    longestWaitBeforeMs: before.waits.longestMs,
    dashboard: await dashboard(served),
  };
}

/** Units of one job, which the trigger audits, and one security event, by so many writers at once. */
async function writing(served: Served, tenant: number, writers: number, during: Promise<unknown>): Promise<Written> {
  const written: Written = { waits: new Waits(), failed: 0 };
  const database = served.get(Database);
  let isOver = false;
  const over = during.finally(() => (isOver = true));
  const writer = async (): Promise<void> => {
    while (!isOver) {
      const insert = (): Promise<void> =>
        database.unit(async (unit) => {
          await unit.query(`INSERT INTO jobs (source_key, title) VALUES ($1, 'A job')`, [`upwork:${randomUUID()}`]);
          await unit.query(`SELECT auth.log_event('proof.insert', $1, true, NULL, NULL, NULL)`, [tenant]);
        });
      await within(tenant, () => written.waits.of(insert)).catch(() => (written.failed += 1));
    }
  };
  await Promise.all([over, ...Array.from({ length: writers }, writer)]);
  return written;
}

/** Jobs without their one row in either log, wherever it lies. */
async function lostOf(served: Served): Promise<number> {
  const [row] = await served.sql<{ lost: string }>(`
    SELECT 2 * (SELECT count(*) FROM jobs)
      - (SELECT count(*) FROM audit_logs WHERE table_name = 'jobs') - (SELECT count(*) FROM security_logs WHERE event_type = 'proof.insert')
      - ${await archived(served, 'audit_logs', `table_name = 'jobs'`)} - ${await archived(served, 'security_logs', `event_type = 'proof.insert'`)} AS lost`);
  return Number(row!.lost);
}

async function archived(served: Served, log: string, condition: string): Promise<number> {
  const [there] = await served.sql<{ name: string | null }>(
    `SELECT to_regclass('archive.${log}_${YEAR}')::text AS name`,
  );
  return there?.name ? countOf(served, `archive.${log}_${YEAR} WHERE ${condition}`) : 0;
}

async function countOf(served: Served, from: string): Promise<number> {
  const [row] = await served.sql<{ count: string }>(`SELECT count(*) FROM ${from}`);
  return Number(row!.count);
}

/** The level of the dashboard's light. */
async function dashboard(served: Served): Promise<string> {
  const { lights } = await within(1, () => served.get(OverviewService).get(), { role: 'admin' });
  return lights.find(({ name }) => /partition/i.test(name))?.level ?? 'not shown';
}
