import { LaunchError } from './launch-error';
import type { Secrets } from './secrets';

/** The variables of the database logins besides DATABASE_URL, and the role each one carries. */
export const SIBLINGS = {
  DATABASE_AUTH_URL: 'auth',
  DATABASE_WORKER_URL: 'worker',
  DATABASE_ADMIN_URL: 'admin',
  DATABASE_MIGRATION_URL: 'owner',
  DATABASE_BACKUP_URL: 'backup',
  DATABASE_MONITOR_URL: 'monitor',
} as const;

/** What of the environment the launcher itself supplies. */
export interface Supplies {
  secrets: Secrets;
  dataFolder: string;
  /** Undefined while it is the person's own setting that counts. */
  port: number | undefined;
  /** By the names of services.json; absent when DATABASE_URL is the operator's. */
  postgres: Record<(typeof SIBLINGS)[keyof typeof SIBLINGS] | 'app', string> | undefined;
  redis: string | undefined;
  /** Settings of the fakes; they go before the person's own, who asked for them. */
  fakes?: Readonly<Record<string, string>>;
}

/**
 * Says whether PostgreSQL is the launcher's to run.
 * @throws LaunchError when a sibling of DATABASE_URL is set and itself is not: half a configuration
 */
export function wantsEmbeddedPostgres(env: NodeJS.ProcessEnv): boolean {
  if (env['DATABASE_URL']) return false;
  const lonely = Object.keys(SIBLINGS).filter((name) => env[name]);
  if (lonely.length > 0) throw new LaunchError(`${lonely.join(', ')}: set, but DATABASE_URL is not. Set all or none.`);
  return true;
}

/** Returns the environment of API and worker: the person's own, and what the launcher supplies. */
export function serverEnvironment(env: NodeJS.ProcessEnv, supplies: Supplies): NodeJS.ProcessEnv {
  const { postgres, redis } = supplies;
  return {
    ...env,
    ...(supplies.port !== undefined && { PORT: String(supplies.port) }),
    GIGVAULT_DATA_DIR: supplies.dataFolder,
    ...(redis && { REDIS_URL: redis }),
    ...supplies.fakes,
    ...(postgres && {
      GIGVAULT_EMBEDDED: 'true',
      DATABASE_URL: postgres.app,
      ...Object.fromEntries(Object.entries(SIBLINGS).map(([name, role]) => [name, postgres[role]])),
      ...keys(env, supplies.secrets),
    }),
  };
}

/** The keys belong to the data: a database of the operator's comes with keys of the operator's. */
function keys(env: NodeJS.ProcessEnv, { values, keyFile }: Secrets): NodeJS.ProcessEnv {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = env;
  return {
    SECRET_KEY: env['SECRET_KEY'] || values.SECRET_KEY,
    ...(!env['ENCRYPTION_KEYS'] && { ENCRYPTION_KEY_FILE: env['ENCRYPTION_KEY_FILE'] || keyFile }),
    ...(!email &&
      !password &&
      values.admin && { GIGVAULT_ADMIN_EMAIL: values.admin.email, GIGVAULT_ADMIN_PASSWORD: values.admin.password }),
  };
}
