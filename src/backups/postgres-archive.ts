import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Bytes } from '../platform/encryption/sealed-stream';
import { BackupError } from './backup-error';
import type { PostgresTools } from './postgres-tools';

/** What a program says of its end is at the end. */
const MAX_WORDS = 2_000;

/** The libpq variables of what a URL may ask for. */
const PARAMETERS: Readonly<Record<string, string>> = {
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
  const program = start(tools, 'pg_dump', args, url, signal);
  try {
    for await (const piece of program.child.stdout!) yield piece as Buffer;
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
  const program = start(tools, 'pg_restore', args, url, signal);
  program.child.stdout!.resume();
  try {
    for await (const piece of archive) {
      if (program.child.exitCode) break;
      // Behind its last table pg_restore does not read on; that the file is whole shows at its end only.
      if (program.child.stdin!.writable) await written(program.child.stdin!, piece);
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
async function written(input: Writable, piece: Buffer): Promise<void> {
  if (input.write(piece)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      input.off('drain', done).off('close', done);
      resolve();
    };
    input.on('drain', done).on('close', done);
  });
}

function start(
  tools: PostgresTools,
  name: string,
  args: readonly string[],
  url: string,
  signal?: AbortSignal,
): { child: ChildProcess; succeeded: Promise<void> } {
  const child = spawn(join(tools.folder, name), args, {
    env: environmentOf(url, tools),
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  });
  let words = '';
  child.stderr.on('data', (piece: Buffer) => (words = (words + piece.toString()).slice(-MAX_WORDS)));
  child.stdin.on('error', () => undefined);
  const succeeded = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new BackupError(`${name} did not run: ${error.message}`, { cause: error })));
    child.once('close', (code, killedBy) => {
      if (code === 0) resolve();
      else
        reject(
          new BackupError(`${name} ended with ${killedBy ?? `code ${code}`}${words === '' ? '' : `: ${words.trim()}`}`),
        );
    });
  });
  succeeded.catch(() => undefined);
  return { child, succeeded };
}

/** By the environment, for every user of the machine may read a command line. */
function environmentOf(url: string, { libraries }: PostgresTools): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const asked = [...searchParams].flatMap(([name, value]) => {
    const variable = PARAMETERS[name];
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
