import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOGIN_ROLES } from '../../../src/local-services/database-setup';
import { changeOwner, findServiceUser } from '../../../src/local-services/file-permissions';
import { findFreePort, ManagedProcess } from '../../../src/local-services/managed-process';
import { findOnPath } from '../../../src/local-services/service-programs';
import { BenchServerProcess } from '../../bench/server-process';
import { buildProductionSettings } from '../../bench/services';
import { Caller } from '../../support/caller';
import { PostgresPair } from '../../support/postgres-pair';
import { RedisGroup } from '../../support/redis-group';
import { waitFor } from '../../support/wait-for';
import { buildServers } from '../build-servers';
import { ChildProgram } from '../child';

const APIS = 3;

/** Two checks of HAProxy, and one more second. */
const SHUTDOWN_DELAY_SECONDS = '3';
const PASSWORD = 'nine purple lanterns';

/** Debian's programs that the installation needs besides PostgreSQL and Redis. */
const PROGRAMS = ['haproxy', 'pgbouncer'] as const;

/**
 * An installation of several machines on 127.0.0.1, with the files of docker/ha: a primary and a synchronous replica
 * with a PgBouncer each, three Redis with Sentinel, three APIs behind HAProxy, and a worker.
 */
export class HaInstallation {
  readonly postgres = new PostgresPair();
  readonly redis = new RedisGroup();
  readonly apis: BenchServerProcess[] = [];
  private readonly poolers: ManagedProcess[] = [];
  private readonly poolerPorts: number[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'gigvault-ha-'));
  private readonly user = findServiceUser();
  private environment: Record<string, string> = {};
  private worker: ChildProgram | undefined;
  private proxy: ManagedProcess | undefined;
  private proxyPort = 0;

  /** Returns the programs that are not installed. */
  static listMissing(): string[] {
    return PROGRAMS.filter((name) => findOnPath([name, `../sbin/${name}`]) === undefined);
  }

  /** The address of HAProxy. */
  get url(): string {
    return `http://127.0.0.1:${this.proxyPort}`;
  }

  async start(): Promise<void> {
    buildServers();
    chmodSync(this.folder, 0o755);
    await Promise.all([this.postgres.start(), this.redis.start()]);
    await this.postgres.makeSynchronous();
    for (const server of [this.postgres.primary, this.postgres.replica]) {
      this.poolerPorts.push(await findFreePort());
      await this.startPooler(this.poolerPorts.length - 1, server.port);
    }
    this.environment = {
      ...buildProductionSettings(() => '', ''),
      ...this.postgres.settings,
      ...this.redis.settings,
      DATABASE_HOSTS: this.poolerPorts.map((port) => `127.0.0.1:${port}`).join(','),
      // Debian 12 has PgBouncer 1.18.
      DATABASE_PREPARED_STATEMENTS: 'false',
      CACHE_ENABLED: 'true',
      DATABASE_CONNECT_TIMEOUT_MS: '5000',
      SHUTDOWN_DELAY_SECONDS,
      TRUSTED_PROXIES: '127.0.0.1',
      SECRET_KEY: randomBytes(32).toString('base64'),
      ENCRYPTION_KEYS: `stress:${randomBytes(32).toString('base64')}`,
      GIGVAULT_DATA_DIR: join(this.folder, 'data'),
    };
    for (let i = 0; i < APIS; i += 1) this.apis.push(await BenchServerProcess.start('product', this.environment));
    this.worker = new ChildProgram(['dist/src/worker.js'], this.environment);
    await this.startProxy();
  }

  /** Creates a verified account and signs it in. Returns the access token. */
  async signUp(): Promise<string> {
    const credentials = { email: `${randomUUID()}@example.com`, password: PASSWORD };
    const caller = new Caller(this.url);
    await caller.post('/v1/auth/register', credentials);
    await this.query('UPDATE users SET is_verified = true WHERE email = $1', [credentials.email]);
    const { status, body } = await caller.post('/v1/auth/login', credentials);
    if (status !== 200) throw new Error(`the sign-in was answered ${status}: ${JSON.stringify(body)}`);
    return (body as { accessToken: string }).accessToken;
  }

  /** Runs a statement as the superuser at the primary. */
  query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.postgres.query<Row>(sql, values);
  }

  /** Starts an API again on its port, and returns once it is ready. */
  async restartApi(i: number): Promise<void> {
    const api = await BenchServerProcess.start('product', this.environment, [], this.apis[i]!.port);
    this.apis[i] = api;
    await waitFor('the API is ready', () => isReady(`http://127.0.0.1:${api.port}`));
  }

  /** Ends a PgBouncer and starts it again. */
  async restartPooler(i: number): Promise<void> {
    const server = i === 0 ? this.postgres.primary : this.postgres.replica;
    await this.poolers[i]!.stop({ signal: 'SIGTERM', graceMs: 1_000, forceSignal: 'SIGKILL' });
    await this.startPooler(i, server.port);
  }

  async stop(): Promise<void> {
    this.proxy?.kill('SIGKILL');
    await Promise.all([...this.apis.map((api) => api.kill()), this.worker?.end('SIGKILL')]);
    for (const pooler of this.poolers) pooler.kill('SIGKILL');
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startPooler(i: number, port: number): Promise<void> {
    const [file, users] = [`pgbouncer-${i}.ini`, 'userlist.txt'].map((name) => join(this.folder, name)) as [
      string,
      string,
    ];
    const logins = LOGIN_ROLES.map((role) => new URL(this.postgres.buildUrl(role)));
    writeFileSync(users, logins.map(({ username, password }) => `"${username}" "${password}"\n`).join(''));
    const text = readFileSync('docker/ha/pgbouncer/pgbouncer.ini', 'utf8')
      .replace('host=postgres-1 port=5432', `host=127.0.0.1 port=${port}`)
      .replace('listen_addr = 0.0.0.0', 'listen_addr = 127.0.0.1')
      .replace('listen_port = 6432', `listen_port = ${this.poolerPorts[i]}`)
      .replace('/etc/pgbouncer/userlist.txt', users);
    writeFileSync(file, text);
    for (const path of [file, users]) changeOwner(this.user, path);
    this.poolers[i] = this.startProgram('pgbouncer', [file], {});
  }

  private async startProxy(): Promise<void> {
    this.proxyPort = await findFreePort();
    const addresses = this.apis.map(({ port }, i) => [`API_${i + 1}`, `127.0.0.1:${port}`]);
    this.proxy = this.startProgram('haproxy', ['-db', '-f', 'docker/ha/haproxy/haproxy.cfg'], {
      BIND: `127.0.0.1:${this.proxyPort}`,
      ...(Object.fromEntries(addresses) as Record<string, string>),
    });
    const { proxy } = this;
    await waitFor('an API is ready behind HAProxy', () => {
      if (proxy.hasExited) throw new Error(`HAProxy has ended:\n${proxy.readLogTail()}`);
      return isReady(this.url);
    });
  }

  private startProgram(name: string, args: readonly string[], env: Record<string, string>): ManagedProcess {
    const program = findOnPath([name, `../sbin/${name}`]) ?? name;
    // HAProxy reads its file in the repository, which another account may not see.
    const user = name === 'pgbouncer' ? this.user : undefined;
    return new ManagedProcess(name, program, args, { env, user, logFile: join(this.folder, `${name}.log`) });
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}
