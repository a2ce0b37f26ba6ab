import type { Settings } from './settings';

/** The servers of an installation. Each has only the logins and secrets that it uses. */
export type ServerKind = 'api' | 'worker';

/** The settings of the database logins. */
export const LOGIN_SETTINGS = [
  'DATABASE_URL',
  'DATABASE_AUTH_URL',
  'DATABASE_WORKER_URL',
  'DATABASE_ADMIN_URL',
  'DATABASE_MIGRATION_URL',
  'DATABASE_BACKUP_URL',
  'DATABASE_MONITOR_URL',
] as const satisfies readonly (keyof Settings)[];

/** The setting of a database login. */
export type LoginSetting = (typeof LOGIN_SETTINGS)[number];

/** The settings after validation by a server: logins of others are absent. */
export type ServerSettings = Omit<Settings, LoginSetting> &
  Partial<Pick<Settings, LoginSetting>> &
  Pick<Settings, 'DATABASE_URL'>;

const SERVER_LOGINS: Readonly<Record<ServerKind, readonly LoginSetting[]>> = {
  api: ['DATABASE_URL', 'DATABASE_AUTH_URL', 'DATABASE_ADMIN_URL', 'DATABASE_MONITOR_URL'],
  worker: ['DATABASE_URL', 'DATABASE_AUTH_URL', 'DATABASE_WORKER_URL', 'DATABASE_BACKUP_URL', 'DATABASE_MONITOR_URL'],
};

/** Optional secrets that only one server uses. */
const SECRETS_OF_ONE: Readonly<Record<ServerKind, readonly (keyof Settings)[]>> = {
  api: [
    'GIGVAULT_ADMIN_EMAIL',
    'GIGVAULT_ADMIN_PASSWORD',
    'AI_OPENAI_API_KEY',
    'AI_ANTHROPIC_API_KEY',
    'AI_GOOGLE_API_KEY',
    'AI_LOCAL_API_KEY',
    'AUDIT_WITNESS_KEYS',
  ],
  worker: ['BACKUP_SCRATCH_URL', 'AUDIT_SIGNING_KEY'],
};

/** Variables of the commands that prepare a database, and those from which compose builds its secrets. */
const COMMAND_VARIABLES = /^(?:DATABASE_SUPERUSER_URL(?:_FILE)?|(?:DATABASE|POSTGRES|REDIS)_PASSWORD(?:_\w+)?)$/;

/** Returns the logins that this server does not use. */
export function listForeignLogins(kind: ServerKind): LoginSetting[] {
  return LOGIN_SETTINGS.filter((name) => !SERVER_LOGINS[kind].includes(name));
}

/** Returns the names of the logins and secrets in the environment that this server does not use. */
export function listForeignVariables(kind: ServerKind, environment: NodeJS.ProcessEnv): string[] {
  const foreign = new Set<string>([...listForeignLogins(kind), ...SECRETS_OF_ONE[kind === 'api' ? 'worker' : 'api']]);
  return Object.keys(environment).filter(
    (name) => environment[name] && (foreign.has(name.replace(/_FILE$/, '')) || COMMAND_VARIABLES.test(name)),
  );
}

/** Returns the environment without the logins and secrets that this server does not use. */
export function selectServerEnvironment(kind: ServerKind, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = new Set(listForeignVariables(kind, environment));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.has(name)));
}
