import { rmSync } from 'node:fs';
import { readJsonFile, writePrivateFile } from './file-permissions';
import { LOGIN_ROLES, LOGINS, type Role } from './database-setup';
import { OperatorError } from './data-folder';
import type { InstallationSecrets } from './installation-secrets';

/** Key of a role's URL in services.json. `owner` is the migration login, which acts as the tables' owner. */
export type ServiceRole = Exclude<Role, 'migrator'> | 'owner';

/** The services that the launcher has started. */
export interface InstallationServices {
  api: string;
  postgres?: Record<ServiceRole, string>;
  redis?: string;
  /** With --fake-upwork. */
  fakeUpwork?: string;
  /** With --fake-ai. */
  fakeAi?: string;
  pids: Record<string, number>;
}

/** The file `services.json`: exists while the launcher runs; only its owner can read it. */
export class ServicesFile {
  constructor(readonly path: string) {}

  /** Replaces the file. */
  write(services: InstallationServices): void {
    writePrivateFile(this.path, `${JSON.stringify(services, null, 2)}\n`);
  }

  /** Returns the content; undefined when no launcher runs. */
  read(): InstallationServices | undefined {
    return readJsonFile<InstallationServices>(this.path);
  }

  /** Removes the file, if there is one. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** Returns the URLs by role; `urlOf(login, role)` builds each. */
export function buildRoleUrls(urlOf: (login: string, role: Role) => string): Record<ServiceRole, string> {
  const entries = LOGIN_ROLES.map((role) => [role === 'migrator' ? 'owner' : role, urlOf(LOGINS[role], role)]);
  return Object.fromEntries([['superuser', urlOf('postgres', 'superuser')], ...entries]) as Record<ServiceRole, string>;
}

/** The variables of the database logins, without DATABASE_URL, and their roles. */
export const DATABASE_URL_ROLES = {
  DATABASE_AUTH_URL: 'auth',
  DATABASE_WORKER_URL: 'worker',
  DATABASE_ADMIN_URL: 'admin',
  DATABASE_MIGRATION_URL: 'owner',
  DATABASE_BACKUP_URL: 'backup',
  DATABASE_MONITOR_URL: 'monitor',
} as const;

/** The part of the environment that the launcher provides. */
export interface ProvidedSettings {
  secrets: InstallationSecrets;
  dataFolder: string;
  /** Undefined: the operator's PORT applies. */
  port: number | undefined;
  /** URLs by the keys of services.json; undefined when the operator sets DATABASE_URL. */
  postgres: Record<(typeof DATABASE_URL_ROLES)[keyof typeof DATABASE_URL_ROLES] | 'app', string> | undefined;
  redis: string | undefined;
  /** Settings of the requested fakes; they override the operator's. */
  fakes?: Readonly<Record<string, string>>;
}

/**
 * Returns true when the launcher runs PostgreSQL itself: DATABASE_URL is not set.
 * @throws OperatorError when another DATABASE_…_URL is set without DATABASE_URL
 */
export function shouldEmbedPostgres(env: NodeJS.ProcessEnv): boolean {
  if (env['DATABASE_URL']) return false;
  const partial = Object.keys(DATABASE_URL_ROLES).filter((name) => env[name]);
  if (partial.length > 0)
    throw new OperatorError(`${partial.join(', ')}: set, but DATABASE_URL is not. Set all or none.`);
  return true;
}

/** Returns the environment of API and worker: the operator's, completed by the launcher. */
export function buildServerEnvironment(env: NodeJS.ProcessEnv, provided: ProvidedSettings): NodeJS.ProcessEnv {
  const { postgres, redis } = provided;
  return {
    ...env,
    ...(provided.port !== undefined && { PORT: String(provided.port) }),
    GIGVAULT_DATA_DIR: provided.dataFolder,
    ...(redis && { REDIS_URL: redis }),
    ...provided.fakes,
    ...(postgres && {
      GIGVAULT_EMBEDDED: 'true',
      DATABASE_URL: postgres.app,
      ...Object.fromEntries(Object.entries(DATABASE_URL_ROLES).map(([name, role]) => [name, postgres[role]])),
      ...selectKeys(env, provided.secrets),
    }),
  };
}

/** Selects keys and admin for the embedded database; a database of the operator needs the operator's keys. */
function selectKeys(env: NodeJS.ProcessEnv, { values, keyFile }: InstallationSecrets): NodeJS.ProcessEnv {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = env;
  return {
    SECRET_KEY: env['SECRET_KEY'] || values.SECRET_KEY,
    ...(!env['ENCRYPTION_KEYS'] && { ENCRYPTION_KEY_FILE: env['ENCRYPTION_KEY_FILE'] || keyFile }),
    ...(!email &&
      !password &&
      values.admin && { GIGVAULT_ADMIN_EMAIL: values.admin.email, GIGVAULT_ADMIN_PASSWORD: values.admin.password }),
  };
}
