import '../../src/platform/config/load-config';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withClient } from '../../src/local-services/database-setup';
import { assertSameAnswers } from './answer-comparison';
import { createBenchUsers } from './bench-users';
import { measureExtras, type Extras } from './extras';
import { MEASURED_IN_ORDER, type Operation } from './operations';
import { parseOptions, type BenchOptions } from './options';
import { Pgbench } from './pgbench';
import { print, printExtras } from './report';
import {
  assertSameSize,
  findDrops,
  summarize,
  describeMachine,
  type BenchResult,
  type OperationResult,
} from './result';
import { measure, type BenchEnvironment, type RoundsOptions } from './rounds';
import { startServers } from './servers';
import { BenchServices } from './services';
import { fillReadmes } from './table';

const RESULTS = join(__dirname, 'results');

/** `npm run bench`; options are checked before anything is measured. */
async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.table !== undefined) {
    return fillReadmes(
      readResult(options.table),
      options.beside === undefined ? undefined : readResult(options.beside),
    );
  }
  const earlier = options.against === undefined ? undefined : readResult(options.against);
  if (earlier) assertSameSize(earlier, options.plan.size);
  const result = await run(options);
  if (!options.isPart) write(result, options.isQuick);
  if (!earlier) return;
  const drops = findDrops(earlier, result, options.operations);
  for (const drop of drops) console.log(`slower than before: ${drop}`);
  if (drops.length > 0) process.exitCode = 1;
}

async function run({ plan, operations, hasExtras, isProfiled }: BenchOptions): Promise<BenchResult> {
  const { size, ...lengths } = plan;
  const { users, jobs, largeTenantJobs } = size;
  const services = new BenchServices();
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-pgbench-'));
  try {
    await services.start();
    console.log(`making ${users} users with ${jobs} jobs and one with ${largeTenantJobs} …`);
    const benchUsers = await createBenchUsers(services, size);
    const servers = await startServers(services, isProfiled);
    try {
      const pgbench = await Pgbench.find(services, folder);
      const { postgresPid, redisPid, signer } = services;
      const benchEnvironment: BenchEnvironment = { users: benchUsers, postgresPid, redisPid, pgbench, signer, servers };
      await assertSameAnswers(benchEnvironment, services);
      const byConcurrency = await measureAll(benchEnvironment, plan.levels, operations);
      const extras: Extras | undefined = hasExtras
        ? await measureExtras(benchEnvironment, services, { ...size, ...plan.extras })
        : undefined;
      if (extras) printExtras(extras);
      const machine = describeMachine(await readVersion(services));
      const compared = byConcurrency[String(plan.levels[0]?.connections)] ?? {};
      return { machine, size, plan: lengths, operations: compared, byConcurrency, extras };
    } finally {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
    }
  } finally {
    await services.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Runs one operation after the other at all levels, so that creates of one level do not affect lists of another. */
async function measureAll(
  benchEnvironment: BenchEnvironment,
  levels: readonly RoundsOptions[],
  operations: readonly Operation[],
): Promise<BenchResult['byConcurrency']> {
  const all: Record<string, Partial<Record<Operation, OperationResult>>> = {};
  for (const operation of MEASURED_IN_ORDER.filter((one) => operations.includes(one))) {
    for (const level of levels) {
      const result = summarize(await measure(benchEnvironment, operation, level));
      print(operation, level.connections, result);
      (all[String(level.connections)] ??= {})[operation] = result;
    }
  }
  return all;
}

async function readVersion(services: BenchServices): Promise<string> {
  return withClient(services.buildUrl('superuser'), async (client) => {
    const { rows } = await client.query<{ version: string }>(
      `SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) AS version`,
    );
    return rows[0]!.version;
  });
}

function readResult(file: string): BenchResult {
  return JSON.parse(readFileSync(file, 'utf8')) as BenchResult;
}

function write(result: BenchResult, isQuick: boolean): void {
  mkdirSync(RESULTS, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const file = join(RESULTS, `${date}${isQuick ? '-quick' : ''}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`written: ${file}`);
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  // A failed run may have left connections open.
  .finally(() => process.exit());
