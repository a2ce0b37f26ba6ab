import type { z } from 'zod';
import { Config } from './config';
import { findEncryptionContradictions } from './encryption-settings';
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
  const result = settings.safeParse(removeEmpty(environment));
  if (!result.success) throw new ConfigError(listProblems(result.error));
  const problems = findContradictions(result.data);
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
  const values = removeEmpty(environment);
  const results = names.map((name) => [name, settings.shape[name].safeParse(values[name])] as const);
  const problems = results.flatMap(([name, { error }]) => (error ? listProblems(error, name) : []));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(results.map(([name, { data }]) => [name, data])) as Pick<Settings, Name>;
}

/** Returns the variables that are set; an empty one counts as unset, as compose files and shells write it. */
function removeEmpty(environment: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
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
function findContradictions(values: Settings): string[] {
  const problems: string[] = [];
  if (Boolean(values.GIGVAULT_ADMIN_EMAIL) !== Boolean(values.GIGVAULT_ADMIN_PASSWORD)) {
    problems.push('GIGVAULT_ADMIN_EMAIL, GIGVAULT_ADMIN_PASSWORD: set both or neither');
  }
  problems.push(...findEncryptionContradictions(values, values.NODE_ENV === 'production'));
  if (values.SESSION_IDLE_SECONDS > values.SESSION_ABSOLUTE_SECONDS) {
    problems.push('SESSION_IDLE_SECONDS: must not exceed SESSION_ABSOLUTE_SECONDS');
  }
  if (values.IMPORT_SPOOL_BYTES < values.IMPORT_LIMIT_BYTES) {
    problems.push('IMPORT_SPOOL_BYTES: must not be less than IMPORT_LIMIT_BYTES');
  }
  if (values.HTTP_HEADERS_TIMEOUT_MS > values.HTTP_REQUEST_TIMEOUT_MS) {
    problems.push('HTTP_HEADERS_TIMEOUT_MS: must not exceed HTTP_REQUEST_TIMEOUT_MS');
  }
  problems.push(...findBackupContradictions(values));
  if (values.NODE_ENV === 'production') {
    if (values.GIGVAULT_EMBEDDED) problems.push('GIGVAULT_EMBEDDED: must be false in production');
    if (values.PASSWORD_HASH_COST < 10) problems.push('PASSWORD_HASH_COST: must be at least 10 in production');
    if (!values.SMTP_URL) problems.push('SMTP_URL: is missing; production needs a mail server');
    if (!values.PUBLIC_URL) problems.push('PUBLIC_URL: is missing; links in emails need it in production');
  }
  return problems;
}

function findBackupContradictions(values: Settings): string[] {
  const missing = (['BACKUP_S3_ENDPOINT', 'BACKUP_S3_ACCESS_KEY', 'BACKUP_S3_SECRET_KEY'] as const).filter(
    (name) => !values[name],
  );
  return values.BACKUP_S3_BUCKET && missing.length > 0
    ? [`${missing.join(', ')}: is missing; BACKUP_S3_BUCKET needs it`]
    : [];
}
