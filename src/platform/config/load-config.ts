import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { buildContextKey, Config } from './config';
import { findRedisContradictions } from './connection-settings';
import { findEncryptionContradictions } from './encryption-settings';
import {
  listForeignLogins,
  type LoginSetting,
  selectServerEnvironment,
  type ServerKind,
  type ServerSettings,
} from './process-settings';
import { settings, type Settings } from './settings';

/**
 * Variables that configure libpq and pg: PGSSLMODE, PGOPTIONS, PGHOST, PGPASSFILE and others. Shells often contain them
 * for another database.
 */
const CLIENT_VARIABLES = /^(?:PG[A-Z_]+|NODE_PG_FORCE_NATIVE)$/;

/**
 * Removes variables that would change connections to PostgreSQL besides their URLs. Importing this file does this for
 * the process and its children, so programs must import it before pg.
 */
export function removeClientVariables(environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(environment)) {
    if (CLIENT_VARIABLES.test(name)) delete environment[name];
  }
}

removeClientVariables();

/** Invalid settings. The message contains every invalid variable and what is expected, never a value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings are invalid (see .env.example):\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = ConfigError.name;
  }
}

/**
 * Reads and validates the whole configuration. Only this and the launcher read the environment.
 * @param environment the variables; by default `process.env`
 * @throws ConfigError with every invalid variable, never its value
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return buildConfig(settings.safeParse(readVariables(environment)));
}

/**
 * Reads and validates the configuration of a server. Logins and secrets of other processes are ignored.
 * @throws ConfigError like `loadConfig`
 */
export function loadServerConfig(kind: ServerKind, environment: NodeJS.ProcessEnv = process.env): Config {
  const foreign = Object.fromEntries(listForeignLogins(kind).map((name) => [name, true])) as OptionalLogins;
  const variables = readVariables(selectServerEnvironment(kind, environment));
  return buildConfig(settings.partial(foreign).safeParse(variables), kind);
}

type OptionalLogins = Record<Exclude<LoginSetting, 'DATABASE_URL'>, true>;

function buildConfig(result: z.ZodSafeParseResult<ServerSettings>, kind?: ServerKind): Config {
  if (!result.success) throw new ConfigError(listProblems(result.error));
  const problems = findContradictions(result.data);
  // The worker has no keys of the witness.
  if (kind !== 'worker' && result.data.AUDIT_WITNESSED_LOGS.length > 0 && result.data.AUDIT_WITNESS_KEYS.length === 0)
    problems.push('AUDIT_WITNESS_KEYS: is missing; AUDIT_WITNESSED_LOGS needs it');
  if (problems.length > 0) throw new ConfigError(problems);
  return new Config(result.data);
}

/**
 * Reads only the named settings, for commands that need no others (the migration CLI).
 * @throws ConfigError like `loadConfig`
 */
export function loadSettings<Name extends keyof Settings>(
  names: readonly Name[],
  environment: NodeJS.ProcessEnv = process.env,
): Pick<Settings, Name> {
  const values = readVariables(environment);
  const results = names.map((name) => [name, settings.shape[name].safeParse(values[name])] as const);
  const problems = results.flatMap(([name, { error }]) => (error ? listProblems(error, name) : []));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(results.map(([name, { data }]) => [name, data])) as Pick<Settings, Name>;
}

/**
 * Returns `Config.contextKey` for commands without a configuration; undefined without a secret.
 * @throws ConfigError for a malformed SECRET_KEY or CONTEXT_KEY, as in a server
 */
export function readContextKey(environment: NodeJS.ProcessEnv): Buffer | undefined {
  const values = readVariables(environment);
  const names = (['CONTEXT_KEY', 'SECRET_KEY'] as const).filter((name) => values[name] !== undefined);
  return names.length === 0 ? undefined : buildContextKey(loadSettings(names, values));
}

/**
 * Returns the variables that are set; an empty one counts as unset, as compose files and shells write it. NAME_FILE is
 * the path of a file with the value of NAME: a mounted secret is not visible in the environment of the process. The
 * result contains NAME instead of NAME_FILE.
 * @throws ConfigError for a file that cannot be read, and for a setting with both forms
 */
export function readVariables(environment: NodeJS.ProcessEnv): Record<string, string | undefined> {
  const entries = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const values = Object.fromEntries(entries);
  const problems: string[] = [];
  for (const name of Object.keys(values).filter(isFileOfSetting)) {
    const setting = name.slice(0, -FILE_SUFFIX.length);
    if (values[setting] !== undefined) problems.push(`${setting}, ${name}: set only one of them`);
    else values[setting] = readSecret(values[name]!) ?? void problems.push(`${name}: the file cannot be read`);
    delete values[name];
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values;
}

const FILE_SUFFIX = '_FILE';

/** The login of `prepare`, which is no setting of a server. */
const SUPERUSER_SETTING = 'DATABASE_SUPERUSER_URL';

/** Returns whether a variable names the file of a setting. Some settings are paths of files themselves. */
export function isFileOfSetting(name: string): boolean {
  if (!name.endsWith(FILE_SUFFIX) || name in settings.shape) return false;
  const setting = name.slice(0, -FILE_SUFFIX.length);
  // Vault's token is read again before each call.
  return setting === SUPERUSER_SETTING || setting in settings.shape;
}

/** Reads a secret without the line break that editors and commands add. */
function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

function listProblems(error: z.ZodError, setting?: string): string[] {
  return error.issues.map((issue) => {
    const name = setting ?? issue.path.join('.');
    const missing = issue.code === 'invalid_type' && /undefined/.test(issue.message);
    return `${name}: ${missing ? 'is missing' : describeExpectation(issue)}`;
  });
}

/** Describes what a value must be. zod's messages may quote the value, so most are replaced. */
function describeExpectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (issue.code === 'custom' || issue.code === 'too_small') return issue.message;
  if (issue.code === 'invalid_format' && issue.format === 'regex') return issue.message;
  if (issue.code === 'invalid_format') return `must be a valid ${issue.format}`;
  return 'is not valid';
}

/** Finds contradictions between settings. */
function findContradictions(values: ServerSettings): string[] {
  const problems: string[] = [];
  if (Boolean(values.GIGVAULT_ADMIN_EMAIL) !== Boolean(values.GIGVAULT_ADMIN_PASSWORD)) {
    problems.push('GIGVAULT_ADMIN_EMAIL, GIGVAULT_ADMIN_PASSWORD: set both or neither');
  }
  problems.push(...findEncryptionContradictions(values, values.NODE_ENV === 'production'));
  problems.push(...findRedisContradictions(values));
  if (values.SESSION_IDLE_SECONDS > values.SESSION_ABSOLUTE_SECONDS) {
    problems.push('SESSION_IDLE_SECONDS: must not exceed SESSION_ABSOLUTE_SECONDS');
  }
  if (values.IMPORT_SPOOL_BYTES < values.IMPORT_LIMIT_BYTES) {
    problems.push('IMPORT_SPOOL_BYTES: must not be less than IMPORT_LIMIT_BYTES');
  }
  if (values.HTTP_HEADERS_TIMEOUT_MS > values.HTTP_REQUEST_TIMEOUT_MS) {
    problems.push('HTTP_HEADERS_TIMEOUT_MS: must not exceed HTTP_REQUEST_TIMEOUT_MS');
  }
  if (values.METRICS_PORT !== 0 && values.METRICS_PORT === values.PORT) problems.push('METRICS_PORT: must not be PORT');
  problems.push(...findBackupContradictions(values));
  if (values.NODE_ENV === 'production') {
    if (values.GIGVAULT_EMBEDDED) problems.push('GIGVAULT_EMBEDDED: must be false in production');
    if (values.PASSWORD_HASH_COST < 10) problems.push('PASSWORD_HASH_COST: must be at least 10 in production');
    if (!values.SMTP_URL) problems.push('SMTP_URL: is missing; production needs a mail server');
    if (!values.PUBLIC_URL) problems.push('PUBLIC_URL: is missing; links in emails need it in production');
  }
  return problems;
}

function findBackupContradictions(values: ServerSettings): string[] {
  const missing = (['BACKUP_S3_ENDPOINT', 'BACKUP_S3_ACCESS_KEY', 'BACKUP_S3_SECRET_KEY'] as const).filter(
    (name) => !values[name],
  );
  return values.BACKUP_S3_BUCKET && missing.length > 0
    ? [`${missing.join(', ')}: is missing; BACKUP_S3_BUCKET needs it`]
    : [];
}
