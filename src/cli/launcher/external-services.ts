import { Client } from 'pg';
import type { Config } from '../../platform/config/config';
import { buildRedis, type HostAddress, REDIS_SETTINGS } from '../../platform/config/connection-settings';
import { ConfigError, loadSettings } from '../../platform/config/load-config';
import { findPrimaryUrl } from '../../platform/database/driver/primary-host';
import { createRedis } from '../../platform/redis/redis-options';
import { DATABASE_URL_ROLES } from '../../local-services/server-environment';

const CONNECT_TIMEOUT_MS = 5_000;

/** The reason for a wrong password, and for a role that does not exist: PostgreSQL does not tell them apart. */
export const PASSWORD_REFUSED = 'the password is refused';

export const NO_SUCH_HOST = 'there is no such host';
export const TLS_MISMATCH = 'the server and the URL do not agree on TLS (sslmode)';
export const UNTRUSTED_CERTIFICATE = 'the certificate of the server is not trusted, or names another host';
export const NO_SENTINEL = 'no Sentinel answers and knows the name of the primary';

/** Patterns of connection errors and the text shown for each. The error itself is never shown: it may contain names. */
const CONNECTION_PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/DATABASE_HOSTS/, 'no host of DATABASE_HOSTS is a primary that answers'],
  [/\b28P01\b|\b28000\b|WRONGPASS|NOAUTH|NOPERM/, PASSWORD_REFUSED],
  [/invalid (?:username|password)|client password must be|without any password/, PASSWORD_REFUSED],
  [/\b3D000\b|DB index is out of range/, 'the server has no such database'],
  [/ECONNREFUSED/, 'nothing listens at this host and port'],
  [/ENOTFOUND|EAI_AGAIN/, NO_SUCH_HOST],
  [/\b57P03\b|^LOADING/, 'the server is starting; try again'],
  [/\b53300\b/, 'the server has no connection left'],
  [/sentinels are unreachable/, NO_SENTINEL],
  [/CERT_|_CERT|UNABLE_TO_VERIFY|ALTNAME/, UNTRUSTED_CERTIFICATE],
  [/SSL|certificate/i, TLS_MISMATCH],
];

/** A service that cannot be used. */
export interface ServiceProblem {
  /** The variable with its URL. */
  readonly name: string;
  readonly reason: string;
}

/**
 * Connects once to each database and Redis that the environment names, before any process starts.
 * @throws ConfigError that names each variable whose service cannot be used, and the reason; never a value
 */
export async function checkExternalServices(env: NodeJS.ProcessEnv): Promise<void> {
  const problems = await findServiceProblems(env);
  if (problems.length > 0) throw new ConfigError(problems.map(({ name, reason }) => `${name}: ${reason}`));
}

/** Connects once to each database and Redis that the environment names. Returns those that cannot be used. */
export async function findServiceProblems(env: NodeJS.ProcessEnv): Promise<ServiceProblem[]> {
  const databases = ['DATABASE_URL', ...Object.keys(DATABASE_URL_ROLES)];
  const attempt = async (url: string) => tryPostgres(await findPrimaryUrl(url, readHosts(env)));
  const problems = await Promise.all([
    ...databases.map((name) => findProblem(name, env[name], attempt)),
    findProblem('REDIS_URL', env['REDIS_URL'], () => tryRedis(readRedis(env))),
  ]);
  return problems.filter((problem) => problem !== undefined);
}

async function findProblem(
  name: string,
  url: string | undefined,
  attempt: (url: string) => Promise<void>,
): Promise<ServiceProblem | undefined> {
  // loadConfig reports missing variables.
  if (!url) return undefined;
  try {
    await attempt(url);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return { name, reason: 'its settings are not valid' };
    const { code = '', message = '' } = error as { code?: string; message?: string };
    const text = `${code} ${message}`;
    const reason = CONNECTION_PROBLEMS.find(([pattern]) => pattern.test(text))?.[1];
    return { name, reason: reason ?? 'the server does not answer' };
  }
}

async function tryPostgres(connectionString: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  await client.connect();
  await client.end().catch(() => undefined);
}

/** Returns DATABASE_HOSTS. @throws ConfigError when it is not valid */
export function readHosts(env: NodeJS.ProcessEnv): readonly HostAddress[] {
  return loadSettings(['DATABASE_HOSTS'], env).DATABASE_HOSTS;
}

/**
 * Returns the configuration of Redis in these variables.
 * @throws ConfigError when one of them is not valid
 */
export function readRedis(env: NodeJS.ProcessEnv): Config['redis'] {
  return buildRedis(loadSettings(REDIS_SETTINGS, env));
}

async function tryRedis(connection: Config['redis']): Promise<void> {
  const client = createRedis(connection, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
  });
  // The event carries the cause; the rejected promise only says that the connection is closed.
  let cause: Error | undefined;
  client.on('error', (error: Error) => (cause ??= error));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw cause ?? error;
  } finally {
    client.disconnect();
  }
}
