import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../src/local-services/managed-process';

/** A PgBouncer in transaction mode for one database of the test run. */
export interface PgBouncer {
  /** The URL of a login, through PgBouncer. */
  urlOf(url: string): string;
  close(): Promise<void>;
}

/** Returns the version of the installed PgBouncer, such as `1.18.0`; undefined without one. */
export function pgBouncerVersion(): string | undefined {
  try {
    return /PgBouncer ([\d.]+)/.exec(execFileSync('pgbouncer', ['--version'], { encoding: 'utf8' }))?.[1];
  } catch {
    return undefined;
  }
}

/** Returns whether this version can keep named statements beyond a transaction. */
export function canKeepStatements(version: string): boolean {
  return !/^1\.(?:\d|1\d|20)\./.test(version);
}

/** Starts PgBouncer for the login of a URL. @param poolSize connections to PostgreSQL, which all clients share */
export async function startPgBouncer(url: string, poolSize = 20): Promise<PgBouncer> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-pgbouncer-'));
  const listenPort = await findFreePort();
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('users.txt'), `"${username}" "${decodeURIComponent(password)}"\n`);
  writeFileSync(
    at('pgbouncer.ini'),
    [
      '[databases]',
      `* = host=${hostname} port=${port}`,
      '[pgbouncer]',
      ...['listen_addr = 127.0.0.1', `listen_port = ${listenPort}`, 'unix_socket_dir =', `logfile = ${at('log')}`],
      ...['auth_type = plain', `auth_file = ${at('users.txt')}`, 'pool_mode = transaction'],
      `default_pool_size = ${poolSize}`,
      ...(canKeepStatements(pgBouncerVersion() ?? '') ? ['max_prepared_statements = 100'] : []),
    ].join('\n'),
  );
  // PgBouncer refuses to run as root.
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'nobody', folder]);
  const program = spawn('pgbouncer', [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), at('pgbouncer.ini')], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => program.on('exit', resolve));
  await waitForPort(listenPort, ended);
  return {
    urlOf: (other) => Object.assign(new URL(other), { port: String(listenPort), pathname }).href,
    close: async () => {
      program.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the port accepts connections. */
async function waitForPort(port: number, ended: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  const accepts = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port })
        .on('connect', () => (socket.destroy(), resolve(true)))
        .on('error', () => resolve(false));
    });
  while (!(await accepts())) if (hasEnded) throw new Error('pgbouncer did not start');
}
