import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findCacheFolder } from '../../local-services/data-folder';
import { isExecutable, findLibraries, findOnPath, unpackPackage } from '../../local-services/debian-packages';
import { BackupError } from '../storage/backup-store';
import type { Writable } from 'node:stream';
import type { Bytes } from '../../platform/encryption/sealed-stream';

const execute = promisify(execFile);
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** PostgreSQL's programs of one version. */
export interface PostgresTools {
  readonly folder: string;
  readonly major: number;
  /** What they need besides the system's, for LD_LIBRARY_PATH. */
  readonly libraries?: string;
}

/**
 * Finds pg_dump and pg_restore for a server of this version: on PATH, where Debian keeps them, or fetched from Debian
 * without root. Those of the server's own version come first; older ones cannot read it.
 * @throws BackupError that names every way out when there are none
 */
export async function findTools(serverMajor: number): Promise<PostgresTools> {
  const installed = (await listInstalledTools())
    .filter(({ major }) => major >= serverMajor)
    .sort((a, b) => a.major - b.major);
  if (installed[0]?.major === serverMajor) return installed[0];
  const place = join(findCacheFolder(), `postgresql-client-${serverMajor}-${process.arch}`);
  try {
    await unpackPackage(`postgresql-client-${serverMajor}`, place);
    return {
      folder: join(place, 'root', DEBIAN_FOLDER, String(serverMajor), 'bin'),
      major: serverMajor,
      libraries: findLibraries(place),
    };
  } catch (cause) {
    // A newer one reads the server as well.
    if (installed[0]) return installed[0];
    throw new BackupError(
      `no pg_dump of version ${serverMajor} or later was found on PATH or in ${DEBIAN_FOLDER}, and none could be fetched with apt: ` +
        `install it (apt install postgresql-client-${serverMajor})`,
      { cause },
    );
  }
}

/** The folders of whole servers (initdb and postgres) of at least this version, the nearest first. */
export async function findServerPrograms(major: number): Promise<PostgresTools[]> {
  const found = (await listInstalledTools()).filter(({ folder }) =>
    ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name))),
  );
  return found.filter((tools) => tools.major >= major).sort((a, b) => a.major - b.major);
}

async function listInstalledTools(): Promise<PostgresTools[]> {
  const first = findOnPath(['pg_dump']);
  const debian = existsSync(DEBIAN_FOLDER)
    ? readdirSync(DEBIAN_FOLDER).map((version) => join(DEBIAN_FOLDER, version, 'bin'))
    : [];
  const folders = [...debian, ...(first === undefined ? [] : [dirname(first)])].filter((folder) =>
    isExecutable(join(folder, 'pg_dump')),
  );
  const tools = await Promise.all(folders.map(async (folder) => ({ folder, major: await readMajor(folder) })));
  return tools.flatMap(({ folder, major }) => (major === undefined ? [] : [{ folder, major }]));
}

/** "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; undefined when it does not run here. */
async function readMajor(folder: string): Promise<number | undefined> {
  try {
    const { stdout } = await execute(join(folder, 'pg_dump'), ['--version']);
    const major = /\) (\d+)[. ]/.exec(stdout)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}

/** What a program says of its end is at the end. */
const MAX_OUTPUT_LENGTH = 2_000;

/** The libpq variables of what a URL may ask for. */
const LIBPQ_VARIABLES: Readonly<Record<string, string>> = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  host: 'PGHOST',
  port: 'PGPORT',
};

/** What is dumped, and as whom. */
export interface DumpSource {
  readonly url: string;
  /** Of pg_export_snapshot(); its transaction must stay open. */
  readonly snapshot: string;
}

/**
 * Returns the archive of pg_dump, in its compressed custom format, as it comes. It ends without an error only when pg_dump
 * ended well.
 * @throws BackupError with the last words of pg_dump
 */
export async function* dumpArchive(
  tools: PostgresTools,
  { url, snapshot }: DumpSource,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const args = [
    '--format=custom',
    '--compress=6',
    '--no-password',
    '--lock-wait-timeout=60s',
    `--snapshot=${snapshot}`,
  ];
  const program = startProgram(tools, 'pg_dump', args, url, signal);
  try {
    for await (const chunk of program.child.stdout!) yield chunk as Buffer;
    await program.succeeded;
  } finally {
    // Whoever stopped reading stops the dump.
    program.child.kill();
    await program.succeeded.catch(() => undefined);
  }
}

/**
 * Puts an archive of pg_dump into an empty database whose roles and extensions are there, all of it or an error.
 * @param url of a superuser
 * @throws BackupError with the last words of pg_restore, or what `archive` throws
 */
export async function restoreArchive(
  tools: PostgresTools,
  url: string,
  archive: Bytes,
  signal?: AbortSignal,
): Promise<void> {
  const { pathname } = new URL(url);
  // Data goes in as the superuser whatever the policies say; but a materialized view is filled as its owner, who sees the
  // rows by a policy, and pg_restore's own row_security = off refuses that.
  const args = [
    '--exit-on-error',
    '--no-password',
    '--enable-row-security',
    `--dbname=${decodeURIComponent(pathname.slice(1))}`,
  ];
  const program = startProgram(tools, 'pg_restore', args, url, signal);
  program.child.stdout!.resume();
  try {
    for await (const chunk of archive) {
      if (program.child.exitCode) break;
      // Behind its last table pg_restore does not read on; that the file is whole shows at its end only.
      if (program.child.stdin!.writable) await writeChunk(program.child.stdin!, chunk);
    }
  } catch (error) {
    program.child.kill('SIGKILL');
    await program.succeeded.catch(() => undefined);
    throw error;
  }
  program.child.stdin!.end();
  await program.succeeded;
}

/** Returns when the program has taken the bytes, or has closed its input. */
async function writeChunk(input: Writable, chunk: Buffer): Promise<void> {
  if (input.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      input.off('drain', done).off('close', done);
      resolve();
    };
    input.on('drain', done).on('close', done);
  });
}

function startProgram(
  tools: PostgresTools,
  name: string,
  args: readonly string[],
  url: string,
  signal?: AbortSignal,
): { child: ChildProcess; succeeded: Promise<void> } {
  const child = spawn(join(tools.folder, name), args, {
    env: buildEnvironment(url, tools),
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-MAX_OUTPUT_LENGTH)));
  child.stdin.on('error', () => undefined);
  const succeeded = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new BackupError(`${name} did not run: ${error.message}`, { cause: error })));
    child.once('close', (code, killedBy) => {
      if (code === 0) resolve();
      else
        reject(
          new BackupError(
            `${name} ended with ${killedBy ?? `code ${code}`}${output === '' ? '' : `: ${output.trim()}`}`,
          ),
        );
    });
  });
  succeeded.catch(() => undefined);
  return { child, succeeded };
}

/** By the environment, for every user of the machine may read a command line. */
function buildEnvironment(url: string, { libraries }: PostgresTools): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const asked = [...searchParams].flatMap(([name, value]) => {
    const variable = LIBPQ_VARIABLES[name];
    return variable === undefined ? [] : [[variable, value === 'no-verify' ? 'require' : value]];
  });
  return {
    PGHOST: decodeURIComponent(hostname).replace(/^\[|\]$/g, ''),
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGAPPNAME: 'gigvault backups',
    LANG: 'C',
    TZ: 'UTC',
    ...(libraries && { LD_LIBRARY_PATH: libraries }),
    ...(Object.fromEntries(asked) as Record<string, string>),
  };
}
