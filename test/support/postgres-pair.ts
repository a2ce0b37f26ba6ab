import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bootstrapDatabase,
  createPasswords,
  getLogin,
  LOGIN_ROLES,
  type Role,
  runMigrations,
  storeContextKeys,
  withClient,
} from '../../src/local-services/database-setup';
import { EmbeddedPostgres } from '../../src/local-services/embedded-postgres';
import { changeOwner, findServiceUser } from '../../src/local-services/file-permissions';
import { waitFor } from './wait-for';

const DATABASE = 'gigvault';

/** Name of the replica in docker/ha/postgres.md. */
const REPLICA_NAME = 'replica';

/** A migrated primary and its streaming replica, on 127.0.0.1. */
export class PostgresPair {
  readonly contextKey = randomBytes(32);
  readonly primary: EmbeddedPostgres;
  readonly replica: EmbeddedPostgres;
  /** The server that was the primary at the start, or was promoted since. */
  current: EmbeddedPostgres;
  private readonly folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gigvault-pair-'));
  private readonly passwords = createPasswords();
  private readonly user = findServiceUser();

  constructor() {
    changeOwner(this.user, this.folder);
    this.primary = this.createServer('primary');
    this.replica = this.createServer('replica');
    this.current = this.primary;
  }

  /**
   * The settings of a process that uses both hosts. The host of the URLs does not exist: DATABASE_HOSTS replaces it.
   */
  get settings(): Record<string, string> {
    const urls = LOGIN_ROLES.map((role) => {
      const name = role === 'migrator' ? 'MIGRATION' : role.toUpperCase();
      const variable = role === 'app' ? 'DATABASE_URL' : `DATABASE_${name}_URL`;
      return [variable, `postgresql://${getLogin(role)}:${this.passwords[role]}@database.invalid/${DATABASE}`];
    });
    return {
      ...(Object.fromEntries(urls) as Record<string, string>),
      DATABASE_HOSTS: [this.primary, this.replica].map(({ port }) => `127.0.0.1:${port}`).join(','),
      CONTEXT_KEY: this.contextKey.toString('base64'),
    };
  }

  /** Starts both. The replica is a copy of the stopped primary, so it needs no program besides the server. */
  async start(): Promise<void> {
    await this.primary.start();
    const { passwords, primary } = this;
    await bootstrapDatabase((name) => this.buildUrl('superuser', primary, name), DATABASE, passwords);
    const migratorUrl = this.buildUrl('migrator');
    await runMigrations(migratorUrl);
    await storeContextKeys(migratorUrl, this.contextKey);
    await primary.stop();
    const replica = join(this.folder, 'replica');
    cpSync(join(this.folder, 'primary'), replica, { recursive: true });
    writeFileSync(join(replica, 'standby.signal'), '');
    const source = `host=127.0.0.1 port=${primary.port} user=${getLogin('superuser')} password=${passwords.superuser}`;
    appendFileSync(
      join(replica, 'postgresql.auto.conf'),
      `primary_conninfo = '${source} application_name=${REPLICA_NAME}'\n`,
    );
    for (const name of readdirSync(replica, { recursive: true, encoding: 'utf8' }))
      changeOwner(this.user, join(replica, name));
    changeOwner(this.user, replica);
    await primary.start();
    await this.replica.start();
    await this.waitUntilInStep();
  }

  /** Makes COMMIT wait for the replica, with the statements of docker/ha/postgres/synchronous.sql. */
  async makeSynchronous(): Promise<void> {
    const statements = readFileSync('docker/ha/postgres/synchronous.sql', 'utf8').match(/^(?!--).+;$/gm)!;
    for (const statement of statements) await this.query(statement);
    await waitFor('the replica is synchronous', async () => {
      const [row] = await this.query<{ state: string }>('SELECT sync_state AS state FROM pg_stat_replication');
      return row?.state === 'quorum' || row?.state === 'sync';
    });
  }

  /** Waits until the replica has replayed all that the primary has written. */
  async waitUntilInStep(): Promise<void> {
    const [row] = await this.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
    await waitFor('the replica has replayed everything', async () => {
      const sql = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS is_in_step';
      return (await this.query<{ is_in_step: boolean }>(sql, [row!.lsn], this.replica))[0]?.is_in_step;
    });
  }

  /** Ends the replication: the replica gets nothing that is written from now on. */
  async cutOffReplica(): Promise<void> {
    await this.query(`ALTER SYSTEM SET primary_conninfo = ''`, [], this.replica);
    await this.query('SELECT pg_reload_conf()', [], this.replica);
    await waitFor('the replica receives nothing', async () => {
      return (await this.query('SELECT FROM pg_stat_replication')).length === 0;
    });
  }

  /** Makes the replica the primary. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote()', [], this.replica);
    this.current = this.replica;
  }

  /** Sends a signal to each process of a server. */
  signal(server: EmbeddedPostgres, signal: NodeJS.Signals): void {
    for (const pid of [server.pid!, ...listChildren(server.pid!)]) process.kill(pid, signal);
  }

  /** Runs one statement as the superuser. */
  query<Row>(sql: string, values: unknown[] = [], server = this.current): Promise<Row[]> {
    const url = this.buildUrl('superuser', server);
    return withClient(url, async (client) => (await client.query(sql, values)).rows as Row[]);
  }

  /** Returns the URL of a login at one server. */
  buildUrl(role: Role, server = this.current, database = DATABASE): string {
    return server.buildUrl(getLogin(role), this.passwords[role], database);
  }

  async stop(): Promise<void> {
    for (const server of [this.replica, this.primary]) {
      if (server.pid === undefined) continue;
      try {
        this.signal(server, 'SIGCONT');
      } catch {
        // It has ended.
      }
      server.kill();
      await server.stop();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private createServer(name: string): EmbeddedPostgres {
    return new EmbeddedPostgres({
      folder: join(this.folder, name),
      logFile: join(this.folder, `${name}.log`),
      superuserPassword: this.passwords.superuser,
    });
  }
}

/** @see man 5 proc: the name in field 2 may contain spaces; field 4 is the parent */
export function listChildren(parent: number): number[] {
  const parentOf = (pid: number): number => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      return NaN;
    }
  };
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}
