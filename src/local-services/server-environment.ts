import { rmSync } from 'node:fs';
import { readJsonFile, writePrivateFile } from './file-permissions';
import { LOGIN_ROLES, LOGINS, type Role } from './database-setup';
import { OperatorError } from './data-folder';
import type { InstallationSecrets } from './installation-secrets';

/** The name a role's URL has in the file: `owner` is the migration login, which acts as the tables' owner. */
export type ServiceRole = Exclude<Role, 'migrator'> | 'owner';

/** Is what the launcher has started. */
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

/** Is `services.json`, readable by its owner only: there while the launcher runs, removed at a clean stop. */
export class ServicesFile {
  constructor(readonly path: string) {}

  /** Replaces the file. */
  write(services: InstallationServices): void {
    writePrivateFile(this.path, `${JSON.stringify(services, null, 2)}\n`);
  }

  /** Returns its content, or undefined when nothing runs. */
  read(): InstallationServices | undefined {
    return readJsonFile<InstallationServices>(this.path);
  }

  /** Removes the file, if there is one. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** Returns the URLs by role, made by `urlOf(login, role)`. */
export function buildRoleUrls(urlOf: (login: string, role: Role) => string): Record<ServiceRole, string> {
  const entries = LOGIN_ROLES.map((role) => [role === 'migrator' ? 'owner' : role, urlOf(LOGINS[role], role)]);
  return Object.fromEntries([['superuser', urlOf('postgres', 'superuser')], ...entries]) as Record<ServiceRole, string>;
}

/** The variables of the database logins besides DATABASE_URL, and the role each one carries. */
export const DATABASE_URL_ROLES = {
  DATABASE_AUTH_URL: 'auth',
  DATABASE_WORKER_URL: 'worker',
  DATABASE_ADMIN_URL: 'admin',
  DATABASE_MIGRATION_URL: 'owner',
  DATABASE_BACKUP_URL: 'backup',
  DATABASE_MONITOR_URL: 'monitor',
} as const;

/** What of the environment the launcher itself supplies. */
export interface ProvidedSettings {
  secrets: InstallationSecrets;
  dataFolder: string;
  /** Undefined while it is the person's own setting that counts. */
  port: number | undefined;
  /** By the names of services.json; absent when DATABASE_URL is the operator's. */
  postgres: Record<(typeof DATABASE_URL_ROLES)[keyof typeof DATABASE_URL_ROLES] | 'app', string> | undefined;
  redis: string | undefined;
  /** Settings of the fakes; they go before the person's own, who asked for them. */
  fakes?: Readonly<Record<string, string>>;
}

/**
 * Says whether PostgreSQL is the launcher's to run.
 * @throws LaunchError when a sibling of DATABASE_URL is set and itself is not: half a configuration
 */
export function shouldEmbedPostgres(env: NodeJS.ProcessEnv): boolean {
  if (env['DATABASE_URL']) return false;
  const partial = Object.keys(DATABASE_URL_ROLES).filter((name) => env[name]);
  if (partial.length > 0)
    throw new OperatorError(`${partial.join(', ')}: set, but DATABASE_URL is not. Set all or none.`);
  return true;
}

/** Returns the environment of API and worker: the person's own, and what the launcher supplies. */
export function buildServerEnvironment(env: NodeJS.ProcessEnv, supplies: ProvidedSettings): NodeJS.ProcessEnv {
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
      ...Object.fromEntries(Object.entries(DATABASE_URL_ROLES).map(([name, role]) => [name, postgres[role]])),
      ...selectKeys(env, supplies.secrets),
    }),
  };
}

/** The keys belong to the data: a database of the operator's comes with keys of the operator's. */
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
