import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bootstrapDatabase,
  createPassword,
  createPasswords,
  getLogin,
  type Role,
  runMigrations,
  storeContextKeys,
} from '../../src/local-services/database-setup';
import { EmbeddedPostgres } from '../../src/local-services/embedded-postgres';
import { EmbeddedRedis } from '../../src/local-services/embedded-redis';
import { changeOwner, isReachable, findServiceUser } from '../../src/local-services/file-permissions';
import { ContextSigner } from '../../src/platform/database/context-signer';
import { startWatchdog, type Watchdog } from '../support/watchdog';

const DATABASE = 'gigvault';

/** Connections of a server; the same for the baseline and the product. */
const POOL_SIZE = 10;

/** A PostgreSQL and a Redis for the benchmark, durable as in production, with the product's migrated database. */
export class BenchServices {
  private readonly passwords = createPasswords();
  private readonly contextKey = randomBytes(32);
  private readonly secretKey = randomBytes(32).toString('base64');
  private readonly encryptionKey = randomBytes(32).toString('base64');
  /** Contains all files of both services and of the servers. */
  readonly folder = createTemporaryFolder();
  private postgres: EmbeddedPostgres;
  private readonly redis = new EmbeddedRedis({
    folder: join(this.folder, 'redis'),
    logFile: join(this.folder, 'redis.log'),
    password: createPassword(),
  });
  private watchdog: Watchdog | undefined;

  /** @param postgresFolder the data folder of PostgreSQL, if it is not inside that of the others */
  constructor(private readonly postgresFolder?: string) {
    this.postgres = this.newPostgres();
  }

  get postgresPid(): number {
    return this.postgres.pid!;
  }

  get redisPid(): number {
    return this.redis.pid!;
  }

  get postgresPort(): number {
    return this.postgres.port;
  }

  /** Returns a connection URL of the role. */
  buildUrl(role: Role, database = DATABASE): string {
    return this.postgres.buildUrl(getLogin(role), this.passwords[role], database);
  }

  /** Signs contexts like the API. */
  get signer(): ContextSigner {
    return new ContextSigner(this.contextKey, getLogin('app'));
  }

  /** Returns the login and password of the API, for programs other than the servers. */
  get app(): { readonly user: string; readonly password: string; readonly database: string } {
    return { user: getLogin('app'), password: this.passwords.app, database: DATABASE };
  }

  /** Starts both and creates the database, which is migrated and empty. */
  async start(): Promise<void> {
    await Promise.all([this.postgres.start(), this.redis.start()]);
    this.startWatchdog();
    await this.createDatabase(DATABASE);
  }

  /** Restarts PostgreSQL on the same port and data after a kill. */
  async restartPostgres(): Promise<void> {
    this.postgres = this.newPostgres(this.postgres.port);
    await this.postgres.start();
    this.startWatchdog();
  }

  /** Creates a further database, migrated and empty. */
  async createDatabase(name: string): Promise<void> {
    await bootstrapDatabase((database) => this.buildUrl('superuser', database), name, this.passwords);
    await runMigrations(this.buildUrl('migrator', name));
    await storeContextKeys(this.buildUrl('migrator', name), this.contextKey);
  }

  /** Returns the environment of a server in production mode; rate limits are off, and only warnings are logged. */
  buildEnvironment(database = DATABASE): Record<string, string> {
    return {
      ...buildProductionSettings((role) => this.buildUrl(role, database), this.redis.url),
      SECRET_KEY: this.secretKey,
      CONTEXT_KEY: this.contextKey.toString('base64'),
      ENCRYPTION_KEYS: `bench:${this.encryptionKey}`,
      GIGVAULT_DATA_DIR: join(this.folder, 'data'),
    };
  }

  /** Stops both and removes the data. */
  async stop(): Promise<void> {
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
    this.watchdog?.dismiss();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private newPostgres(preferredPort?: number): EmbeddedPostgres {
    return new EmbeddedPostgres({
      folder: this.postgresFolder ?? join(this.folder, 'postgres'),
      logFile: join(this.folder, 'postgres.log'),
      superuserPassword: this.passwords.superuser,
      ...(preferredPort !== undefined && { preferredPort }),
      // 64 connections of pgbench come in addition to the pools of all servers.
      maxConnections: 300,
    });
  }

  /** An interrupted run cannot stop them itself. */
  private startWatchdog(): void {
    this.watchdog?.dismiss();
    this.watchdog = startWatchdog(
      [this.postgres.pid, this.redis.pid].filter((pid) => pid !== undefined),
      this.folder,
    );
  }
}

/** Returns the settings of a server in production mode on these services, without keys and folder. */
export function buildProductionSettings(urlOf: (role: Role) => string, redisUrl: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PUBLIC_URL: 'https://gigvault.example',
    SMTP_URL: 'smtp://127.0.0.1:1',
    RATE_LIMIT_PER_MINUTE: '0',
    AUTH_THROTTLE_SCALE: '1000000',
    CACHE_ENABLED: 'false',
    DATABASE_POOL_SIZE: String(POOL_SIZE),
    DATABASE_URL: urlOf('app'),
    DATABASE_AUTH_URL: urlOf('auth'),
    DATABASE_WORKER_URL: urlOf('worker'),
    DATABASE_ADMIN_URL: urlOf('admin'),
    DATABASE_MIGRATION_URL: urlOf('migrator'),
    DATABASE_BACKUP_URL: urlOf('backup'),
    DATABASE_MONITOR_URL: urlOf('monitor'),
    REDIS_URL: redisUrl,
  };
}

function createTemporaryFolder(): string {
  const user = findServiceUser();
  const home = isReachable(tmpdir(), user) ? tmpdir() : '/tmp';
  const folder = mkdtempSync(join(home, 'gigvault-bench-'));
  chmodSync(folder, 0o700);
  changeOwner(user, folder);
  return folder;
}
