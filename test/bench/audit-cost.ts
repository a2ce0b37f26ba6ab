import type { Client } from 'pg';
import { withClient } from '../../src/local-services/database-setup';
import { readCpuOfPostgres } from './cpu';
import { runLoad } from './load';
import { buildRequests } from './operations';
import type { BenchEnvironment } from './rounds';
import { BenchServerProcess } from './server-process';
import { buildProductEnvironment } from './servers';
import type { BenchServices } from './services';
import { computeSpread, type Spread } from './statistics';

/** The cost of the audit for a write over HTTP, as shares of the audited write. */
export interface WriteAuditCost {
  /** The share of the time: 1 - rate with / rate without, of neighbours. */
  readonly time: Spread;
  /** The share of the CPU of server and PostgreSQL together, over all rounds. */
  readonly cpu: number;
  /** CPU of server and of PostgreSQL for a request, in microseconds. */
  readonly audited: readonly [server: number, postgres: number];
  readonly unaudited: readonly [server: number, postgres: number];
}

/** The cost for both writes. */
export interface AuditCost {
  readonly create: WriteAuditCost;
  readonly patch: WriteAuditCost;
}

/** The length of a round of one side; short, so that temporary load affects both sides. */
const ROUND_SECONDS = 0.5;
/** Pairs of rounds for each requested round. */
const PAIRS = 3;

type Side = 'audited' | 'unaudited';

/**
 * Compares the same writes with and without an audit. The second process has a subscriber that collects nothing
 * (without-audit.ts), and the table's audit triggers are off while it works. Sides alternate in short rounds.
 */
export async function measureAuditCost(
  benchEnvironment: BenchEnvironment,
  services: BenchServices,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<AuditCost> {
  const withoutAudit = ['-r', 'ts-node/register/transpile-only', '-r', './test/bench/without-audit.ts'];
  const environment = buildProductEnvironment(services);
  // Both are new, because a process that has run for long has better compiled code.
  const servers = {
    audited: await BenchServerProcess.start('product', environment),
    unaudited: await BenchServerProcess.start('product', environment, withoutAudit),
  };
  const plan = { pairs: rounds * PAIRS, warmUpSeconds: Math.max(2, seconds * 2) };
  try {
    return await withClient(services.buildUrl('superuser'), async (client) => ({
      create: await measureCost('c', benchEnvironment, servers, client, plan),
      patch: await measureCost('d', benchEnvironment, servers, client, plan),
    }));
  } finally {
    await Promise.all([servers.audited.stop(), servers.unaudited.stop()]);
  }
}

async function measureCost(
  operation: 'c' | 'd',
  { users: benchUsers, postgresPid }: BenchEnvironment,
  servers: Readonly<Record<Side, BenchServerProcess>>,
  client: Client,
  { pairs, warmUpSeconds }: { pairs: number; warmUpSeconds: number },
): Promise<WriteAuditCost> {
  const totals = {
    audited: { requests: 0, server: 0, postgres: 0 },
    unaudited: { requests: 0, server: 0, postgres: 0 },
  };
  const run = async (side: Side, seconds: number): Promise<number> => {
    const server = servers[side];
    if (side === 'unaudited') await setTriggers(client, 'DISABLE');
    const before = [server.cpu, readCpuOfPostgres(postgresPid)] as const;
    const result = await runLoad({
      port: server.port,
      connections: 16,
      seconds,
      next: buildRequests(operation, benchUsers),
    });
    totals[side].requests += result.requests;
    totals[side].server += server.cpu - before[0];
    totals[side].postgres += readCpuOfPostgres(postgresPid) - before[1];
    if (side === 'unaudited') await setTriggers(client, 'ENABLE');
    return result.rps;
  };
  try {
    await assertAudits(client, true, () => run('audited', warmUpSeconds));
    await assertAudits(client, false, () => run('unaudited', warmUpSeconds));
    for (const total of Object.values(totals)) Object.assign(total, { requests: 0, server: 0, postgres: 0 });
    const shares: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const rates = { audited: 0, unaudited: 0 };
      for (const side of pair % 2 === 0 ? (['audited', 'unaudited'] as const) : (['unaudited', 'audited'] as const)) {
        rates[side] = await run(side, ROUND_SECONDS);
      }
      shares.push(1 - rates.audited / rates.unaudited);
    }
    const cpuOf = ({ requests, server, postgres }: (typeof totals)[Side]) =>
      [Math.round(server / requests), Math.round(postgres / requests)] as const;
    const [audited, unaudited] = [cpuOf(totals.audited), cpuOf(totals.unaudited)];
    const cpu = 1 - (unaudited[0] + unaudited[1]) / (audited[0] + audited[1]);
    return { time: computeSpread(shares)!, cpu: Math.round(cpu * 100) / 100, audited, unaudited };
  } finally {
    await setTriggers(client, 'ENABLE');
  }
}

/** Returns the audit triggers of jobs. */
async function setTriggers(client: Client, verb: 'ENABLE' | 'DISABLE'): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('ALTER TABLE jobs ${verb} TRIGGER %I', tgname) AS statement
     FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid
     WHERE tgrelid = 'jobs'::regclass AND pronamespace = 'audit'::regnamespace
       AND tgenabled = '${verb === 'ENABLE' ? 'D' : 'O'}'`,
  );
  for (const { statement } of rows) await client.query(statement);
}

async function assertAudits(client: Client, isExpected: boolean, work: () => Promise<unknown>): Promise<void> {
  const count = async (): Promise<number> => {
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM audit_logs WHERE table_name = 'jobs'`);
    return Number(rows[0]!.count);
  };
  const before = await count();
  await work();
  const isAudited = (await count()) > before;
  if (isAudited !== isExpected) throw new Error(`the writes were ${isAudited ? '' : 'not '}audited`);
}
