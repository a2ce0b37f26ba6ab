import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { databaseUrl, flag, integer, list, secret, url } from './setting-groups';

/** The address of a server. */
export interface HostAddress {
  readonly host: string;
  readonly port: number;
}

/** A name, an IPv4 address, or an IPv6 address in brackets, with a port. */
const HOST_AND_PORT = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i;

function hosts() {
  return list()
    .refine(
      (values) => values.every((value) => toAddress(value) !== undefined),
      'must be a list of host:port, separated by commas',
    )
    .transform((values) => values.map((value) => toAddress(value)!));
}

function toAddress(value: string): HostAddress | undefined {
  const [, address, name, port] = HOST_AND_PORT.exec(value) ?? [];
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? Object.freeze({ host: (address ?? name)!, port: number }) : undefined;
}

/** Returns whether a file can be read and contains certificates (PEM). */
function isCertificateFile(path: string): boolean {
  try {
    return Boolean(new X509Certificate(readFileSync(path)));
  } catch {
    return false;
  }
}

const SSL_MODES: readonly (string | null)[] = [null, 'disable', 'no-verify', 'require', 'verify-full'];

/** Defines the URL of PostgreSQL with the login of one role, and checks its parameters of TLS. */
function loginUrl(role: string, use: string) {
  return databaseUrl(role, use)
    .refine(
      (value) => !URL.canParse(value) || SSL_MODES.includes(new URL(value).searchParams.get('sslmode')),
      `must have an sslmode of ${SSL_MODES.filter(Boolean).join(', ')}`,
    )
    .refine((value) => {
      const file = URL.canParse(value) ? new URL(value).searchParams.get('sslrootcert') : null;
      return file === null || isCertificateFile(file);
    }, 'must have as sslrootcert a readable file of certificates (PEM)');
}

function poolSize(role: string, use: string) {
  return integer(4, 1, 500).describe(`Connections per process of the login ${role}: ${use}.`).meta({ example: '4' });
}

/** The settings of connections to PostgreSQL. */
export const databaseSettings = {
  DATABASE_URL: loginUrl('app', "tenants' requests; limited by row level security"),
  DATABASE_AUTH_URL: loginUrl('auth', 'registration and sign-in; functions of schema auth only'),
  DATABASE_WORKER_URL: loginUrl('worker', 'scheduled tasks'),
  DATABASE_ADMIN_URL: loginUrl('admin', "the admin's routes"),
  DATABASE_MIGRATION_URL: loginUrl('migrator', 'migrations'),
  DATABASE_BACKUP_URL: loginUrl('backup', 'backups; reads all tables of a dump, writes nothing'),
  DATABASE_MONITOR_URL: loginUrl('monitor', 'statistics and health'),
  DATABASE_HOSTS: hosts()
    .describe(
      'Hosts of one PostgreSQL with replicas, as host:port, separated by commas. They replace the host of every ' +
        'DATABASE_…_URL: connections go to the one that accepts writes, and follow it after a failover.',
    )
    .meta({ example: 'db1.example.com:5432,db2.example.com:5432' }),
  DATABASE_POOL_SIZE: integer(10, 1, 500).describe('Connections per process for requests.').meta({ example: '10' }),
  DATABASE_AUTH_POOL_SIZE: poolSize('gigvault_auth', 'sign-in'),
  DATABASE_WORKER_POOL_SIZE: poolSize('gigvault_worker', 'tasks'),
  DATABASE_ADMIN_POOL_SIZE: poolSize('gigvault_admin', 'the dashboard'),
  DATABASE_MONITOR_POOL_SIZE: poolSize('gigvault_monitor', 'the cache, health and statistics'),
  DATABASE_CONNECT_TIMEOUT_MS: integer(2_000, 100, 60_000)
    .describe('Longest wait of a request for a free connection, in milliseconds; then 503.')
    .meta({ example: '2000' }),
  DATABASE_PREPARED_STATEMENTS: flag(true)
    .describe('Use named prepared statements; false behind a PgBouncer older than 1.21.')
    .meta({ example: 'true' }),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(15_000, 100, 600_000)
    .describe(
      'Longest run of one statement, in milliseconds; tasks have their own limit. Without an answer 2 s later: 503.',
    )
    .meta({ example: '15000' }),
  DATABASE_LIST_TIMEOUT_MS: integer(5_000, 100, 600_000)
    .describe('Longest run of the statement of a list or search, in milliseconds.')
    .meta({ example: '5000' }),
};

/** The settings of connections to Redis. */
export const redisSettings = {
  REDIS_URL: url('redis', 'rediss')
    .describe(
      'Redis or Valkey for sessions, limits and queues; its maxmemory-policy must be noeviction. ' +
        'rediss:// uses TLS, also for Sentinel.',
    )
    .meta({ example: 'redis://127.0.0.1:6379/0' }),
  REDIS_CA_FILE: z
    .string()
    .refine(isCertificateFile, 'must be a readable file of certificates (PEM)')
    .optional()
    .describe('Certificates of the authorities that rediss:// trusts, in PEM format; those of Node.js when unset.')
    .meta({ example: '/etc/gigvault/redis-ca.pem' }),
  REDIS_SENTINELS: hosts()
    .describe(
      'Sentinels as host:port, separated by commas. They name the primary, which replaces host and port of ' +
        'REDIS_URL; login and database number are those of REDIS_URL.',
    )
    .meta({ example: 'sentinel1.example.com:26379,sentinel2.example.com:26379,sentinel3.example.com:26379' }),
  REDIS_SENTINEL_NAME: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be a name of letters, digits, dots and dashes')
    .default('mymaster')
    .describe('Name of the primary in the configuration of Sentinel.')
    .meta({ example: 'mymaster' }),
  REDIS_SENTINEL_USERNAME: z.string().optional().describe('User of Sentinel, if it has users.').meta({ example: '' }),
  REDIS_SENTINEL_PASSWORD: secret('Password of Sentinel, if it has one.'),
};

type DatabaseSettings = z.output<z.ZodObject<typeof databaseSettings>>;
type LoginSetting = Extract<keyof DatabaseSettings, `${string}_URL`>;
type ServerDatabaseSettings = Omit<DatabaseSettings, LoginSetting> & Partial<Pick<DatabaseSettings, LoginSetting>>;
type RedisSettings = z.output<z.ZodObject<typeof redisSettings>>;

/** Builds the configuration of PostgreSQL. */
export function buildDatabase(settings: ServerDatabaseSettings & Pick<DatabaseSettings, 'DATABASE_URL'>) {
  return Object.freeze({
    /** Undefined for a login that this process does not use. */
    urls: Object.freeze({
      app: settings.DATABASE_URL,
      auth: settings.DATABASE_AUTH_URL,
      worker: settings.DATABASE_WORKER_URL,
      admin: settings.DATABASE_ADMIN_URL,
      backup: settings.DATABASE_BACKUP_URL,
      monitor: settings.DATABASE_MONITOR_URL,
    }),
    /** The hosts that replace those of the URLs; empty for none. */
    hosts: Object.freeze(settings.DATABASE_HOSTS),
    poolSize: settings.DATABASE_POOL_SIZE,
    rolePoolSizes: Object.freeze({
      auth: settings.DATABASE_AUTH_POOL_SIZE,
      worker: settings.DATABASE_WORKER_POOL_SIZE,
      admin: settings.DATABASE_ADMIN_POOL_SIZE,
      monitor: settings.DATABASE_MONITOR_POOL_SIZE,
    }),
    connectTimeoutMs: settings.DATABASE_CONNECT_TIMEOUT_MS,
    preparedStatements: settings.DATABASE_PREPARED_STATEMENTS,
    statementTimeoutMs: settings.DATABASE_STATEMENT_TIMEOUT_MS,
    listTimeoutMs: settings.DATABASE_LIST_TIMEOUT_MS,
  });
}

/** Builds the configuration of Redis, also for commands that need only this part. */
export function buildRedis(settings: RedisSettings) {
  const { REDIS_SENTINELS: sentinels, REDIS_CA_FILE: caFile } = settings;
  return Object.freeze({
    url: settings.REDIS_URL,
    /** The trusted authorities; undefined for those of Node.js. */
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    /** Undefined without Sentinel. */
    sentinel:
      sentinels.length === 0
        ? undefined
        : Object.freeze({
            hosts: Object.freeze(sentinels),
            name: settings.REDIS_SENTINEL_NAME,
            username: settings.REDIS_SENTINEL_USERNAME,
            password: settings.REDIS_SENTINEL_PASSWORD,
          }),
  });
}

/** The names of the settings of Redis. */
export const REDIS_SETTINGS = Object.keys(redisSettings) as (keyof typeof redisSettings)[];

/** Finds contradictions between the settings of Redis. */
export function findRedisContradictions(settings: RedisSettings): string[] {
  const isEncrypted = settings.REDIS_URL.startsWith('rediss://');
  const needless = (['REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD'] as const).filter((name) => settings[name]);
  return [
    ...(settings.REDIS_CA_FILE && !isEncrypted ? ['REDIS_CA_FILE: needs a REDIS_URL that begins with rediss://'] : []),
    ...(settings.REDIS_SENTINELS.length === 0 ? needless.map((name) => `${name}: needs REDIS_SENTINELS`) : []),
  ];
}
