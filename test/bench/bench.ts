import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withClient } from '../../src/launcher/bootstrap';
import { assertSameAnswers } from './answers';
import { prepareCast } from './callers';
import type { DataSize } from './data-set';
import { measureExtras, type Extras, type ExtrasOptions } from './extras';
import { MEASURED_IN_ORDER, OPERATIONS, type Operation } from './operations';
import { Pgbench } from './pgbench';
import { print, printExtras } from './report';
import { assertSameSize, dropsAgainst, summarise, thisMachine, type BenchResult, type OperationResult } from './result';
import { measure, type Arena, type RoundsOptions } from './rounds';
import { startServers } from './servers';
import { BenchServices } from './services';
import { fillReadmes } from './table';

/** How much of everything a run does. */
interface Plan {
  readonly size: DataSize;
  /** The first of them is the one results are compared at. */
  readonly levels: readonly RoundsOptions[];
  readonly extras: Omit<ExtrasOptions, keyof DataSize>;
}

/** Three quarters of an hour on two cores. */
const FULL: Plan = {
  size: { users: 2_000, jobs: 400_000, largeTenantJobs: 400_000 },
  levels: [
    { connections: 16, rounds: 7, seconds: 4 },
    { connections: 1, rounds: 5, seconds: 2 },
    { connections: 64, rounds: 5, seconds: 2 },
  ],
  extras: { rounds: 7, seconds: 3, importRows: 10_000, streamRows: 100_000, hasTenfold: true },
};

/** Ends within three minutes on two cores; figures of it are a hint. */
const QUICK: Plan = {
  size: { users: 200, jobs: 20_000, largeTenantJobs: 40_000 },
  levels: [{ connections: 16, rounds: 3, seconds: 0.5 }],
  extras: { rounds: 2, seconds: 0.6, importRows: 10_000, streamRows: 20_000, hasTenfold: false },
};

const RESULTS = join(__dirname, 'results');

/** `npm run bench [-- --quick] [--against <result>] [--only a,b] [--extras] [--rounds n] [--seconds n] [--profile] [--table <result>]`. */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      only: { type: 'string' },
      extras: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      profile: { type: 'boolean', default: false },
      table: { type: 'string' },
    },
  });
  if (values.table !== undefined) return fillReadmes(resultIn(values.table));
  const { size, levels, extras } = values.quick ? QUICK : FULL;
  const chosen = { ...(values.rounds && { rounds: Number(values.rounds) }), ...(values.seconds && { seconds: Number(values.seconds) }) };
  const plan = { size, levels: levels.map((level) => ({ ...level, ...chosen })), extras: { ...extras, ...chosen } };
  const isPart = values.only !== undefined || values.extras;
  const only = isPart ? ((values.only?.split(',') ?? []) as Operation[]) : undefined;
  const operations = only ?? OPERATIONS;
  const earlier = values.against === undefined ? undefined : resultIn(values.against);
  if (earlier) assertSameSize(earlier, size);
  const result = await run(plan, { operations, hasExtras: !isPart || values.extras, isProfiled: values.profile });
  if (!isPart) write(result, values.quick);
  if (!earlier) return;
  const drops = dropsAgainst(earlier, result, operations);
  for (const drop of drops) console.log(`slower than before: ${drop}`);
  if (drops.length > 0) process.exitCode = 1;
}

interface Parts {
  readonly operations: readonly Operation[];
  readonly hasExtras: boolean;
  readonly isProfiled: boolean;
}

async function run(plan: Plan, { operations, hasExtras, isProfiled }: Parts): Promise<BenchResult> {
  const { users, jobs, largeTenantJobs } = plan.size;
  const services = new BenchServices();
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-pgbench-'));
  try {
    await services.start();
    console.log(`making ${users} users with ${jobs} jobs and one with ${largeTenantJobs} …`);
    const cast = await prepareCast(services, plan.size);
    const servers = await startServers(services, isProfiled);
    try {
      const pgbench = await Pgbench.find(services, folder);
      const { postgresPid, redisPid } = services;
      const arena: Arena = { cast, postgresPid, redisPid, pgbench, servers };
      await assertSameAnswers(arena, services);
      const byConcurrency = await measureAll(arena, plan.levels, operations);
      const extras: Extras | undefined = hasExtras ? await measureExtras(arena, services, { ...plan.size, ...plan.extras }) : undefined;
      if (extras) printExtras(extras);
      const machine = thisMachine(await versionOf(services));
      return { machine, size: plan.size, operations: byConcurrency[String(plan.levels[0]?.connections)] ?? {}, byConcurrency, extras };
    } finally {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
    }
  } finally {
    await services.stop();
    rmSync(folder, { recursive: true });
  }
}

/** One operation after the other at all levels, so that no level's creates lie in the way of another's lists. */
async function measureAll(arena: Arena, levels: readonly RoundsOptions[], operations: readonly Operation[]): Promise<BenchResult['byConcurrency']> {
  const all: Record<string, Partial<Record<Operation, OperationResult>>> = {};
  for (const operation of MEASURED_IN_ORDER.filter((one) => operations.includes(one))) {
    for (const level of levels) {
      const result = summarise(await measure(arena, operation, level));
      print(operation, level.connections, result);
      (all[String(level.connections)] ??= {})[operation] = result;
    }
  }
  return all;
}

async function versionOf(services: BenchServices): Promise<string> {
  return withClient(services.url('superuser'), async (client) => {
    const { rows } = await client.query<{ version: string }>(`SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) AS version`);
    return rows[0]!.version;
  });
}

function resultIn(file: string): BenchResult {
  return JSON.parse(readFileSync(file, 'utf8')) as BenchResult;
}

function write(result: BenchResult, isQuick: boolean): void {
  mkdirSync(RESULTS, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const file = join(RESULTS, `${date}${isQuick ? '-quick' : ''}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`written: ${file}`);
}

bench()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  // A run that failed half way may have left connections open.
  .finally(() => process.exit());
