import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { findCacheFolder, isExecutable, findLibraries, unpackPackage } from '../../src/local-services/service-programs';
import type { BenchServices } from './services';
import { computePercentile } from './statistics';

const execute = promisify(execFile);
const INSTALLED = '/usr/lib/postgresql';
/** The share of transactions whose latency is logged. */
const SAMPLED = 0.1;

/** A pgbench program that runs here. */
interface Program {
  readonly command: string;
  readonly libraries?: string;
}

/** The result of a run. */
export interface PgbenchResult {
  readonly requests: number;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** pgbench, PostgreSQL's load generator: the SQL without a server. */
export class Pgbench {
  private constructor(
    private readonly program: Program,
    private readonly services: BenchServices,
    private readonly folder: string,
  ) {}

  /**
   * Finds pgbench in Debian's folder, on PATH or in the cache; else downloads the signed package of Debian or Ubuntu
   * into the cache without installing it. Returns undefined, with a message, without one: its column then stays empty.
   */
  static async find(services: BenchServices, folder: string): Promise<Pgbench | undefined> {
    try {
      const program = findInstalled(INSTALLED, process.env.PATH) ?? (await fetchProgram());
      return new Pgbench(program, services, folder);
    } catch (error) {
      const [reason] = String(error).split('\n');
      console.log(`pgbench is not on this machine, and apt could not fetch it (${reason}): its column stays empty.`);
      return undefined;
    }
  }

  /**
   * Runs a script for a time. Connecting is not counted; latencies are those of every tenth transaction.
   * @throws Error when a transaction failed
   */
  async run(name: string, script: string, connections: number, seconds: number): Promise<PgbenchResult> {
    const log = mkdtempSync(join(this.folder, 'log-'));
    const file = join(log, `${name}.sql`);
    writeFileSync(file, script);
    const { user, password, database } = this.services.app;
    const server = ['-h', '127.0.0.1', '-p', String(this.services.postgresPort), '-U', user];
    const load = [
      '-c',
      String(connections),
      '-j',
      String(Math.min(2, connections)),
      '-T',
      String(Math.max(1, Math.round(seconds))),
    ];
    const sample = ['--log', `--log-prefix=${join(log, 'latency')}`, `--sampling-rate=${SAMPLED}`];
    const { command, libraries } = this.program;
    const { stdout, stderr } = await execute(
      command,
      [...server, ...load, ...sample, '-n', '-M', 'prepared', '-f', file, database],
      {
        env: { PGPASSWORD: password, ...(libraries !== undefined && { LD_LIBRARY_PATH: libraries }) },
      },
    );
    const requests = Number(/actually processed: (\d+)/.exec(stdout)?.[1]);
    const rps = Number(/tps = ([\d.]+) \(without/.exec(stdout)?.[1]);
    const latencies = readLatencies(log);
    rmSync(log, { recursive: true });
    if (!(rps > 0) || /aborted|ERROR/.test(stderr)) throw new Error(`pgbench ${name}:\n${stdout}\n${stderr}`);
    return { requests, rps, p50Ms: computePercentile(latencies, 0.5), p99Ms: computePercentile(latencies, 0.99) };
  }
}

/** Debian's command on PATH is a script that first looks for a cluster. */
function findInstalled(debian: string, path = ''): Program | undefined {
  const versions = existsSync(debian) ? readdirSync(debian).sort().reverse() : [];
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...path.split(delimiter)];
  const command = folders.map((folder) => join(folder, 'pgbench')).find(isExecutable);
  return command === undefined ? undefined : { command };
}

async function fetchProgram(): Promise<Program> {
  const place = join(findCacheFolder(), `pgbench-${process.arch}`);
  try {
    await unpackPackage('postgresql-*', place, 'libpq5');
    const libraries = findLibraries(place);
    const program = findInstalled(join(place, 'root', INSTALLED));
    if (!program) throw new Error('the package contains no pgbench');
    await execute(program.command, ['--version'], { env: { LD_LIBRARY_PATH: libraries } });
    return { ...program, libraries };
  } catch (error) {
    rmSync(place, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Latencies in milliseconds, sorted. @see https://www.postgresql.org/docs/15/pgbench.html, per-transaction logging: the
 * third field
 */
function readLatencies(folder: string): number[] {
  const lines = readdirSync(folder)
    .filter((file) => file.startsWith('latency'))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'));
  return lines
    .map((line) => Number(line.split(' ')[2]) / 1000)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
}
