import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { findFreePort, ManagedProcess, stopOrphan } from './managed-process';
import { type DataFolder, OperatorError } from './data-folder';
import type { InstallationSecrets } from './server-environment';
import { type PostgresPrograms, findPostgresPrograms, readMajor } from './service-programs';
import { changeOwner, findServiceUser, writePrivateFile } from './file-permissions';
import { explainServerLog } from './storage-problems';

const START_TIMEOUT_MS = 120_000;

interface EmbeddedPostgresOptions {
  /** Data folder; created at the first start, in a folder that the service user owns. */
  folder: string;
  logFile: string;
  superuserPassword: string;
  /** Used when it is free. */
  preferredPort?: number;
  /** For disposable data: faster, but not crash-safe. */
  isEphemeral?: boolean;
  /** Default: those that npm installed. */
  programs?: PostgresPrograms;
  /** Default: 100; 300 for an ephemeral server. */
  maxConnections?: number;
}

/**
 * A PostgreSQL server on 127.0.0.1 with SCRAM passwords, without a Unix socket, with pg_stat_statements. Started by
 * root, it runs as `postgres` or `nobody`.
 */
export class EmbeddedPostgres {
  readonly title = 'PostgreSQL';
  /** Set by `start`; a restart keeps it. */
  port = 0;
  private process: ManagedProcess | undefined;
  private readonly user = findServiceUser();

  constructor(private readonly options: EmbeddedPostgresOptions) {}

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** True before the first start: there is no data yet. */
  get isNew(): boolean {
    return !existsSync(join(this.options.folder, 'PG_VERSION'));
  }

  /** Resolves when the server has ended. */
  get exited(): Promise<string> {
    return this.process?.exited ?? new Promise(() => undefined);
  }

  /**
   * Starts the server and returns when it answers. An orphaned server on the same data is stopped first.
   * @throws OperatorError with the last lines of its log when it does not start, or with the steps of an upgrade when
   *   another major version wrote the data
   */
  async start(): Promise<void> {
    const { folder, programs = await findPostgresPrograms(this.user) } = this.options;
    await stopOrphan(join(folder, 'postmaster.pid'), folder, ['SIGINT', 'SIGQUIT']);
    if (this.isNew) await this.initialize(programs);
    else await assertSameMajor(folder, programs);
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const failure = await this.tryStart(programs, deadline);
      if (failure === undefined) return;
      // Backends of a killed server keep its shared memory for another moment.
      if (!failure.includes('shared memory block') || Date.now() > deadline) {
        const text = `The embedded PostgreSQL did not start (${this.options.logFile}):\n${failure}`;
        throw explainServerLog(failure, folder) ?? new OperatorError(text);
      }
      await sleep(200);
    }
  }

  /** Returns a connection URL of this server. */
  buildUrl(login: string, password: string, database: string): string {
    return `postgresql://${login}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${database}`;
  }

  /** Stops the server by a fast shutdown: open transactions roll back. After 20 seconds it is forced. */
  async stop(): Promise<void> {
    await this.process?.stop({ signal: 'SIGINT', graceMs: 20_000, forceSignal: 'SIGQUIT' });
  }

  /** Returns the last lines of its log. */
  readLogTail(): string {
    return this.process?.readLogTail() ?? '';
  }

  /** Kills the server; the next start recovers from the log. */
  kill(): void {
    this.process?.kill('SIGQUIT');
  }

  /** Keeps the port at a restart, because clients use it. */
  private async choosePort(preferred: number | undefined): Promise<number> {
    const port = await findFreePort(this.process ? this.port : preferred);
    if (this.process && port !== this.port) throw new OperatorError(`Port ${this.port} was taken by another program.`);
    return port;
  }

  private async initialize(programs: PostgresPrograms): Promise<void> {
    const { folder, isEphemeral, superuserPassword } = this.options;
    // Renamed when complete: the result of a killed initdb must not be used as data.
    const draft = `${folder}.new`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    changeOwner(this.user, draft);
    const passwordFile = join(dirname(folder), 'initdb-password');
    writePrivateFile(passwordFile, superuserPassword);
    changeOwner(this.user, passwordFile);
    const initdb = new ManagedProcess(
      'initdb',
      programs.initdb,
      [
        `--pgdata=${draft}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Byte order is the same on every machine; the search needs lower case in every alphabet.
        '--lc-collate=C',
        `--lc-ctype=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`,
        '--lc-messages=C',
        ...(isEphemeral ? ['--no-sync'] : []),
      ],
      { cwd: dirname(folder), env: buildEnvironment(), user: this.user, logFile: this.options.logFile },
    );
    const end = await initdb.exited;
    rmSync(passwordFile);
    if (end === 'code 0') return renameSync(draft, folder);
    const log = initdb.readLogTail();
    const text = `initdb ended with ${end} (${this.options.logFile}):\n${log}`;
    throw explainServerLog(log, dirname(folder)) ?? new OperatorError(text);
  }

  private async tryStart(programs: PostgresPrograms, deadline: number): Promise<string | undefined> {
    const { folder, logFile, preferredPort } = this.options;
    this.port = await this.choosePort(preferredPort);
    const settings = [...this.buildSettings()].flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = new ManagedProcess('postgres', programs.postgres, ['-D', folder, ...settings], {
      cwd: folder,
      env: buildEnvironment(),
      user: this.user,
      logFile,
    });
    while (!server.hasExited) {
      const answer = await this.tryConnect();
      if (answer === 'welcome') {
        this.process = server;
        return undefined;
      }
      if (answer === 'wrong password') {
        await server.stop({ signal: 'SIGINT', graceMs: 5_000, forceSignal: 'SIGQUIT' });
        return `The data in ${folder} was created with another password than the stored one.`;
      }
      if (Date.now() > deadline) await server.stop({ signal: 'SIGQUIT', graceMs: 5_000, forceSignal: 'SIGKILL' });
      await Promise.race([sleep(25), server.exited]);
    }
    return `postgres ended with ${await server.exited}\n${server.readLogTail()}`;
  }

  private buildSettings(): Map<string, string> {
    return new Map([
      ['port', String(this.port)],
      ['listen_addresses', '127.0.0.1'],
      ['unix_socket_directories', ''],
      ['password_encryption', 'scram-sha-256'],
      ['shared_preload_libraries', 'pg_stat_statements'],
      // Utility statements such as CREATE ROLE would be stored with their literals.
      ['pg_stat_statements.track_utility', 'off'],
      // No values in the log, for sessions of the superuser too; bootstrap.sql sets the same for the logins.
      ['log_error_verbosity', 'terse'],
      ['log_parameter_max_length', '0'],
      // Segments of the write-ahead log end within an hour, and the next checkpoint deletes them instead of keeping
      // them for later use. So an erased text disappears from them within WAL_RETENTION_HOURS.
      ['archive_timeout', '1h'],
      ['wal_recycle', 'off'],
      ['timezone', 'UTC'],
      ['log_timezone', 'UTC'],
      ['max_connections', String(this.options.maxConnections ?? (this.options.isEphemeral ? 300 : 100))],
      ...(this.options.isEphemeral
        ? ([
            ['fsync', 'off'],
            ['synchronous_commit', 'off'],
            ['full_page_writes', 'off'],
            ['autovacuum', 'off'],
          ] as const)
        : []),
    ]);
  }

  private async tryConnect(): Promise<'welcome' | 'wrong password' | 'not yet'> {
    const client = new Client({
      connectionString: this.buildUrl('postgres', this.options.superuserPassword, 'postgres'),
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return 'welcome';
    } catch (error) {
      return (error as { code?: string }).code === '28P01' ? 'wrong password' : 'not yet';
    }
  }
}

/**
 * Returns the major version of the PostgreSQL that wrote the data.
 * @throws OperatorError when its file is damaged
 */
export function readDataMajor(folder: string): number {
  const file = join(folder, 'PG_VERSION');
  const major = /^\d+$/.exec(readFileSync(file, 'utf8').trim())?.[0];
  if (major !== undefined) return Number(major);
  throw new OperatorError(
    `${file} does not contain a version of PostgreSQL`,
    `restore ${folder} from your copy; if only this file is damaged: echo 15 > ${file}`,
  );
}

async function assertSameMajor(folder: string, programs: PostgresPrograms): Promise<void> {
  const ofData = readDataMajor(folder);
  const ofPrograms = await readMajor(programs.postgres);
  if (ofData === ofPrograms) return;
  throw new OperatorError(`The data in ${folder} is of PostgreSQL ${ofData}, but PostgreSQL ${ofPrograms} is installed.
Nothing was changed. To move the data:
  1. Install the release that you used before: git checkout <release> && npm ci && npm start
  2. Make a backup at /admin/backups, wait until it is verified, and stop npm start.
  3. Install this release again: git checkout <this release> && npm ci
  4. Rename the old data: mv '${folder}' '${folder}-${ofData}'
  5. Restore the backup, which creates new data, and start: npm run restore -- latest && npm start`);
}

/** Excludes PG* variables of the operator, which would change the server. */
function buildEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LANG: 'C', TZ: 'UTC' };
}

/** Database name of an installation on embedded services. */
export const DATABASE_NAME = 'gigvault';

/** Returns the embedded PostgreSQL of an installation without starting it. */
export function createInstallationPostgres(folder: DataFolder, { values }: InstallationSecrets): EmbeddedPostgres {
  return new EmbeddedPostgres({
    folder: join(folder.createServicesFolder(values.servicesName), 'postgres'),
    logFile: folder.resolveLog('postgres'),
    superuserPassword: values.passwords.superuser,
    preferredPort: values.ports.postgres,
  });
}
