import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareCast } from './callers';
import { rareWordsOf, type DataSize } from './data-set';
import { measureExtras, type Extras } from './extras';
import { OPERATIONS, type Operation } from './operations';
import { Pgbench } from './pgbench';
import { print, printExtras } from './report';
import { dropsAgainst, summarise, thisMachine, type BenchResult, type OperationResult } from './result';
import { measure, type Arena } from './rounds';
import { ServerProcess } from './server-process';
import { BenchServices } from './services';

/** How much of everything a run does. */
interface Plan extends DataSize {
  /** The first of them is the one results are compared at. */
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly importRows: number;
}

const FULL: Plan = {
  users: 2_000,
  jobs: 400_000,
  largeTenantJobs: 400_000,
  concurrencies: [16, 1, 64],
  rounds: 7,
  seconds: 5,
  importRows: 10_000,
};

/** Ends within three minutes on two cores; figures of it are a hint. */
const QUICK: Plan = { users: 200, jobs: 20_000, largeTenantJobs: 40_000, concurrencies: [16], rounds: 3, seconds: 1, importRows: 10_000 };

const RESULTS = join(__dirname, 'results');

/** `npm run bench [-- --quick] [--against <result>] [--only a,b] [--profile]`. */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      profile: { type: 'boolean', default: false },
    },
  });
  const chosen = values.quick ? QUICK : FULL;
  const plan = { ...chosen, rounds: Number(values.rounds ?? chosen.rounds), seconds: Number(values.seconds ?? chosen.seconds) };
  const only = values.only?.split(',') as Operation[] | undefined;
  const result = await run(plan, only, values.profile);
  if (!only) write(result, values.quick);
  if (values.against === undefined) return;
  const drops = dropsAgainst(JSON.parse(readFileSync(values.against, 'utf8')) as BenchResult, result);
  for (const drop of drops) console.log(`slower than before: ${drop}`);
  if (drops.length > 0) process.exitCode = 1;
}

async function run(plan: Plan, only: readonly Operation[] | undefined, isProfiled: boolean): Promise<BenchResult> {
  const { users, jobs, largeTenantJobs } = plan;
  const services = new BenchServices();
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-pgbench-'));
  try {
    await services.start();
    console.log(`making ${users} users with ${jobs} jobs and one with ${largeTenantJobs} …`);
    const cast = await prepareCast(services, plan);
    const servers = await startServers(services, isProfiled);
    try {
      const pgbench = Pgbench.find(services, folder);
      const arena: Arena = { cast, rareWords: rareWordsOf(plan), postgresPid: services.postgresPid, pgbench, servers };
      const byConcurrency = await measureAll(arena, plan, only ?? OPERATIONS);
      const extras: Extras | undefined = only ? undefined : await measureExtras(arena, services, plan);
      if (extras) printExtras(extras);
      const operations = byConcurrency[String(plan.concurrencies[0])] ?? {};
      return { machine: thisMachine(), size: { users, jobs, largeTenantJobs }, operations, byConcurrency, extras };
    } finally {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
    }
  } finally {
    await services.stop();
    rmSync(folder, { recursive: true });
  }
}

async function startServers(services: BenchServices, isProfiled: boolean): Promise<Arena['servers']> {
  const environment = services.environment();
  const profiler = isProfiled ? ['--cpu-prof', `--cpu-prof-dir=${join(tmpdir(), 'gigvault-profiles')}`] : [];
  return {
    product: await ServerProcess.start('product', environment, profiler),
    fastify: await ServerProcess.start('fastify', environment),
    fastifyPipelined: await ServerProcess.start('fastifyPipelined', environment, profiler),
  };
}

async function measureAll(
  arena: Arena,
  { concurrencies, rounds, seconds }: Plan,
  operations: readonly Operation[],
): Promise<BenchResult['byConcurrency']> {
  const all: Record<string, Partial<Record<Operation, OperationResult>>> = {};
  for (const connections of concurrencies) {
    const results: Partial<Record<Operation, OperationResult>> = {};
    for (const operation of operations) {
      results[operation] = summarise(await measure(arena, operation, { rounds, seconds, connections }));
      print(operation, connections, results[operation]);
    }
    all[String(connections)] = results;
  }
  return all;
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
