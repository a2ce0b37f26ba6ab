import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  isExecutable,
  findLibraries,
  findOnPath,
  unpackPackage,
  readMajor,
  findCacheFolder,
} from '../../local-services/service-programs';
import { BackupError } from '../storage/backup-store';
import type { Writable } from 'node:stream';
import type { Bytes } from '../../platform/encryption/sealed-stream';

const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** PostgreSQL's client programs of one major version. */
export interface PostgresTools {
  readonly folder: string;
  readonly major: number;
  /** Additional library folders, for LD_LIBRARY_PATH. */
  readonly libraries?: string;
}

/**
 * Finds pg_dump and pg_restore for a server of this version: on PATH, in Debian's folders, or downloaded from Debian
 * without root. Prefers the server's own version; older programs cannot read it.
 * @throws BackupError with every remedy when there are none
 */
export async function findTools(serverMajor: number): Promise<PostgresTools> {
  const installed = (await listInstalledTools())
    .filter(({ major }) => major >= serverMajor)
    .sort((a, b) => a.major - b.major);
  if (installed[0]?.major === serverMajor) return installed[0];
  const folder = join(findCacheFolder(), `postgresql-client-${serverMajor}-${process.arch}`);
  try {
    await unpackPackage(`postgresql-client-${serverMajor}`, folder);
    return {
      folder: join(folder, 'root', DEBIAN_FOLDER, String(serverMajor), 'bin'),
      major: serverMajor,
      libraries: findLibraries(folder),
    };
  } catch (cause) {
    // Newer programs can read an older server.
    if (installed[0]) return installed[0];
    throw new BackupError(
      `no pg_dump of version ${serverMajor} or later was found on PATH or in ${DEBIAN_FOLDER}, ` +
        `and apt could not download it: install it (apt install postgresql-client-${serverMajor})`,
      { cause },
    );
  }
}

/** Finds folders with a whole server (initdb and postgres) of at least this version, oldest first. */
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
  const tools = await Promise.all(
    // A program that does not run here is left out.
    folders.map(async (folder) => ({ folder, major: await readMajor(join(folder, 'pg_dump')).catch(() => undefined) })),
  );
  return tools.flatMap(({ folder, major }) => (major === undefined ? [] : [{ folder, major }]));
}

/** Only the last characters are kept: programs print the reason of a failure last. */
const MAX_OUTPUT_LENGTH = 2_000;

/** The libpq variables for the parameters of a URL. */
const LIBPQ_VARIABLES: Readonly<Record<string, string>> = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  host: 'PGHOST',
  port: 'PGPORT',
};

/** The database to dump and the login to use. */
export interface DumpSource {
  readonly url: string;
  /** The id from pg_export_snapshot(); its transaction must stay open. */
  readonly snapshot: string;
}

/**
 * Streams pg_dump's archive in its compressed custom format. Ends without an error only when pg_dump succeeded.
 * @throws BackupError with the end of pg_dump's error output
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
    // Gigvault uses no large objects, and one that the login may not read would end the dump.
    '--no-blobs',
    // Keys of the installation, which its login may not read. A restore stores them again.
    '--exclude-schema=secrets',
    `--snapshot=${snapshot}`,
  ];
  const program = startProgram(tools, 'pg_dump', args, url, signal);
  try {
    for await (const chunk of program.child.stdout!) yield chunk as Buffer;
    await program.succeeded;
  } finally {
    // Stops the dump when the reader stops early.
    program.child.kill();
    await program.succeeded.catch(() => undefined);
  }
}

/**
 * Restores pg_dump's archive into an empty database that has the roles and extensions.
 * @param url a superuser's URL
 * @throws BackupError with the end of pg_restore's error output, or the error of `archive`
 */
export async function restoreArchive(
  tools: PostgresTools,
  url: string,
  archive: Bytes,
  signal?: AbortSignal,
): Promise<void> {
  const { pathname } = new URL(url);
  // The superuser bypasses the policies. A materialized view is filled as its owner, who reads rows through a policy;
  // pg_restore's default, row_security = off, would refuse that.
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
      // pg_restore stops reading after its last table. The rest is read, because only the end proves a complete file.
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

/** Waits until the program has accepted the bytes or closed its input. */
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

/** Passes the password in the environment: every user of the machine can read a command line. */
function buildEnvironment(url: string, { libraries }: PostgresTools): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const parameters = [...searchParams].flatMap(([name, value]) => {
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
    ...(Object.fromEntries(parameters) as Record<string, string>),
  };
}
