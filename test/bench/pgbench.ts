import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchServices } from './services';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** pgbench, PostgreSQL's own load generator: what is left when there is no server around the SQL. */
export class Pgbench {
  private constructor(
    private readonly command: string,
    private readonly services: BenchServices,
    private readonly folder: string,
  ) {}

  /** Finds pgbench on PATH or where Debian keeps it; undefined without one, and its column stays empty. */
  static find(services: BenchServices, folder: string): Pgbench | undefined {
    const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort().reverse() : [];
    const folders = [...(process.env.PATH ?? '').split(delimiter), ...versions.map((version) => join(DEBIAN, version, 'bin'))];
    const command = folders.map((place) => join(place, 'pgbench')).find(isExecutable);
    return command === undefined ? undefined : new Pgbench(command, services, folder);
  }

  /**
   * Runs a script for so long and returns its transactions a second, connecting not counted.
   * @throws Error when a transaction failed
   */
  async rate(name: string, script: string, connections: number, seconds: number): Promise<number> {
    const file = join(this.folder, `${name}.sql`);
    writeFileSync(file, script);
    const { user, password, database } = this.services.app;
    const server = ['-h', '127.0.0.1', '-p', String(this.services.postgresPort), '-U', user];
    const load = ['-c', String(connections), '-j', String(Math.min(2, connections)), '-T', String(Math.max(1, Math.round(seconds)))];
    const { stdout, stderr } = await run(this.command, [...server, ...load, '-n', '-M', 'prepared', '-f', file, database], {
      env: { PGPASSWORD: password },
    });
    const rate = Number(/tps = ([\d.]+) \(without/.exec(stdout)?.[1]);
    if (!(rate > 0) || /aborted|ERROR/.test(stderr)) throw new Error(`pgbench ${name}:\n${stdout}\n${stderr}`);
    return rate;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
