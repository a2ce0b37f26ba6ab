import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigError } from './config-error';
import { Secrets } from './secrets';
import type { backupSettings } from './backup-settings';
import { settings, type Settings } from './settings';

/** One key of secrets at rest. */
export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The typed, frozen configuration, and the token it is injected by. Made by `loadConfig`. */
export class Config {
  readonly environment: Settings['NODE_ENV'];
  readonly isProduction: boolean;
  /** The launcher runs PostgreSQL and Redis: mail may go to the local outbox. */
  readonly embedded: boolean;
  readonly dataDir: string;
  readonly http: ReturnType<typeof httpOf>;
  readonly log: { readonly level: NonNullable<Settings['LOG_LEVEL']> };
  readonly database: ReturnType<typeof databaseOf>;
  readonly redis: { readonly url: string };
  readonly cache: { readonly isEnabled: boolean };
  readonly secrets: Secrets;
  /** The master keys, the first of which wraps, or the file that holds them. */
  readonly encryption: { readonly keys: readonly EncryptionKey[]; readonly keyFile: string | undefined };
  readonly auth: ReturnType<typeof authOf>;
  readonly mail: { readonly smtpUrl: string | undefined; readonly from: string };
  readonly limits: ReturnType<typeof limitsOf>;
  readonly ai: ReturnType<typeof aiOf>;
  readonly upwork: ReturnType<typeof upworkOf>;
  /** After how long a run of a silent worker is taken over. */
  readonly tasks: { readonly leaseMs: number };
  /** How long what outlives its use is kept; 0 years are for ever. */
  readonly retention: { readonly securityLogDays: number; readonly partitionYears: number; readonly backupDays: number };
  readonly backups: ReturnType<typeof backupsOf>;

  constructor(settings: Settings) {
    this.environment = settings.NODE_ENV;
    this.isProduction = settings.NODE_ENV === 'production';
    this.embedded = settings.GIGVAULT_EMBEDDED;
    this.dataDir = settings.GIGVAULT_DATA_DIR;
    this.http = httpOf(settings);
    this.log = Object.freeze({ level: settings.LOG_LEVEL ?? (settings.NODE_ENV === 'test' ? 'silent' : 'info') });
    this.database = databaseOf(settings);
    this.redis = Object.freeze({ url: settings.REDIS_URL });
    this.cache = Object.freeze({ isEnabled: settings.CACHE_ENABLED });
    this.secrets = new Secrets(Buffer.from(settings.SECRET_KEY, 'base64'));
    this.encryption = encryptionOf(settings);
    this.auth = authOf(settings);
    this.mail = Object.freeze({ smtpUrl: settings.SMTP_URL, from: settings.MAIL_FROM });
    this.limits = limitsOf(settings);
    this.ai = aiOf(settings);
    this.upwork = upworkOf(settings, this.http.publicUrl);
    this.tasks = Object.freeze({ leaseMs: settings.TASK_LEASE_SECONDS * 1_000 });
    this.retention = Object.freeze({
      securityLogDays: settings.SECURITY_LOG_RETENTION_DAYS,
      partitionYears: settings.PARTITION_ARCHIVE_AFTER_YEARS,
      backupDays: settings.BACKUP_RETENTION_DAYS,
    });
    this.backups = backupsOf(settings);
    Object.freeze(this);
  }
}

/** The settings of backups, also for a command that does not need the rest. */
export function backupsOf(settings: Pick<Settings, BackupSetting | 'GIGVAULT_DATA_DIR'>) {
  const { BACKUP_S3_BUCKET: bucket, BACKUP_S3_ENDPOINT: endpoint, BACKUP_S3_ACCESS_KEY: accessKey, BACKUP_S3_SECRET_KEY: secretKey } = settings;
  const { BACKUP_S3_REGION: region, BACKUP_S3_PREFIX: prefix } = settings;
  return Object.freeze({
    folder: resolve(settings.BACKUP_DIR ?? join(settings.GIGVAULT_DATA_DIR, 'backups')),
    /** In place of the folder, when it is set. */
    s3: bucket && endpoint && accessKey && secretKey ? Object.freeze({ endpoint, region, bucket, accessKey, secretKey, prefix }) : undefined,
    keep: Object.freeze({ daily: settings.BACKUP_KEEP_DAILY, weekly: settings.BACKUP_KEEP_WEEKLY, monthly: settings.BACKUP_KEEP_MONTHLY }),
    maxAgeHours: settings.BACKUP_MAX_AGE_HOURS,
    scratchUrl: settings.BACKUP_SCRATCH_URL,
  });
}

/** A setting of backups. */
type BackupSetting = keyof typeof backupSettings;

function httpOf(settings: Settings) {
  const { HOST: host, PORT: port, METRICS_PORT: metricsPort } = settings;
  return Object.freeze({
    host,
    port,
    metricsPort,
    /** Without a slash at its end. */
    publicUrl: (settings.PUBLIC_URL ?? `http://${host}:${port}`).replace(/(?<!\/)\/+$/, ''),
    corsOrigins: settings.CORS_ORIGINS,
    trustedProxies: settings.TRUSTED_PROXIES,
    shutdownDelayMs: settings.SHUTDOWN_DELAY_SECONDS * 1_000,
    maxConnections: settings.HTTP_MAX_CONNECTIONS,
    maxConnectionsPerAddress: settings.HTTP_MAX_CONNECTIONS_PER_ADDRESS,
    requestTimeoutMs: settings.HTTP_REQUEST_TIMEOUT_MS,
    headersTimeoutMs: settings.HTTP_HEADERS_TIMEOUT_MS,
  });
}

function databaseOf(settings: Settings) {
  return Object.freeze({
    urls: Object.freeze({
      app: settings.DATABASE_URL,
      auth: settings.DATABASE_AUTH_URL,
      worker: settings.DATABASE_WORKER_URL,
      admin: settings.DATABASE_ADMIN_URL,
      migration: settings.DATABASE_MIGRATION_URL,
      backup: settings.DATABASE_BACKUP_URL,
      monitor: settings.DATABASE_MONITOR_URL,
    }),
    poolSize: settings.DATABASE_POOL_SIZE,
    connectTimeoutMs: settings.DATABASE_CONNECT_TIMEOUT_MS,
    preparedStatements: settings.DATABASE_PREPARED_STATEMENTS,
    statementTimeoutMs: settings.DATABASE_STATEMENT_TIMEOUT_MS,
    listTimeoutMs: settings.DATABASE_LIST_TIMEOUT_MS,
  });
}

function authOf(settings: Settings) {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = settings;
  return Object.freeze({
    isRegistrationOpen: settings.REGISTRATION_ENABLED,
    accessTokenSeconds: settings.ACCESS_TOKEN_SECONDS,
    sessionIdleSeconds: settings.SESSION_IDLE_SECONDS,
    sessionAbsoluteSeconds: settings.SESSION_ABSOLUTE_SECONDS,
    throttleScale: settings.AUTH_THROTTLE_SCALE,
    passwordHashCost: settings.PASSWORD_HASH_COST,
    /** The first admin, when both settings are given. */
    firstAdmin: email && password ? Object.freeze({ email, password }) : undefined,
  });
}

function aiOf(settings: Settings) {
  return Object.freeze({
    /** In the order they are tried. */
    order: settings.AI_PROVIDERS,
    vendors: Object.freeze({
      openai: vendor(settings.AI_OPENAI_API_KEY, settings.AI_OPENAI_BASE_URL, settings.AI_OPENAI_MODEL),
      anthropic: vendor(settings.AI_ANTHROPIC_API_KEY, settings.AI_ANTHROPIC_BASE_URL, settings.AI_ANTHROPIC_MODEL),
      google: vendor(settings.AI_GOOGLE_API_KEY, settings.AI_GOOGLE_BASE_URL, settings.AI_GOOGLE_MODEL),
      local: vendor(settings.AI_LOCAL_API_KEY, settings.AI_LOCAL_BASE_URL, settings.AI_LOCAL_MODEL),
    }),
    maxOutputAiTokens: settings.AI_MAX_OUTPUT_AI_TOKENS,
    timeoutMs: settings.AI_TIMEOUT_SECONDS * 1_000,
    dailyCeilingUsd: settings.AI_DAILY_CEILING_USD,
    monthlyCeilingUsd: settings.AI_MONTHLY_CEILING_USD,
    /** 0.00 is none. */
    installationDailyCeilingUsd: settings.AI_INSTALLATION_DAILY_CEILING_USD,
    installationMonthlyCeilingUsd: settings.AI_INSTALLATION_MONTHLY_CEILING_USD,
    runs: settings.AI_RUNS,
    runsPerUser: settings.AI_RUNS_PER_USER,
    streamsPerUser: settings.AI_STREAMS_PER_USER,
  });
}

function vendor(apiKey: string | undefined, baseUrl: string | undefined, model: string) {
  return Object.freeze({ apiKey, baseUrl: baseUrl?.replace(/(?<!\/)\/+$/, ''), model });
}

function limitsOf(settings: Settings) {
  return Object.freeze({
    /** 0 is no limit. */
    requestsPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    bodyBytes: settings.BODY_LIMIT_BYTES,
    importBytes: settings.IMPORT_LIMIT_BYTES,
    spoolBytes: settings.IMPORT_SPOOL_BYTES,
    largeBodies: settings.LARGE_BODIES_AT_ONCE,
    largeBodiesPerCaller: settings.LARGE_BODIES_AT_ONCE_PER_CALLER,
  });
}

function upworkOf(settings: Settings, publicUrl: string) {
  const { UPWORK_CLIENT_ID: id, UPWORK_CLIENT_SECRET: secret } = settings;
  return Object.freeze({
    /** The operator's API application, when both settings are given. */
    client: id && secret ? Object.freeze({ id, secret }) : undefined,
    redirectUrl: settings.UPWORK_REDIRECT_URL ?? `${publicUrl}/v1/tokens/upwork/callback`,
    authorizeUrl: settings.UPWORK_AUTHORIZE_URL,
    tokenUrl: settings.UPWORK_TOKEN_URL,
    apiUrl: settings.UPWORK_API_URL,
    requestsPerSecond: settings.UPWORK_REQUESTS_PER_SECOND,
    syncIntervalSeconds: settings.UPWORK_SYNC_INTERVAL_SECONDS,
    /** How long what nobody uses is kept; 0 is for ever. */
    cacheHours: settings.UPWORK_CACHE_HOURS,
  });
}

/** The master keys, or the file that holds them, of checked settings. */
export function encryptionOf({ ENCRYPTION_KEYS: entries = [], ENCRYPTION_KEY_FILE: keyFile }: Pick<Settings, 'ENCRYPTION_KEYS' | 'ENCRYPTION_KEY_FILE'>) {
  return Object.freeze({ keys: Object.freeze(entries.map(toEncryptionKey)), keyFile });
}

function toEncryptionKey(entry: string): EncryptionKey {
  const [id = '', key = ''] = entry.split(':');
  return Object.freeze({ id, key: Buffer.from(key, 'base64') });
}

/**
 * Reads and checks the whole configuration; the only reader of the environment besides the launcher.
 * @param environment the variables, `process.env` unless told otherwise
 * @throws ConfigError naming every variable that is wrong, never its value
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const result = settings.safeParse(present(environment));
  if (!result.success) throw new ConfigError(problemsOf(result.error));
  const problems = contradictions(result.data);
  if (problems.length > 0) throw new ConfigError(problems);
  return new Config(result.data);
}

/**
 * Reads only the settings named, for a command that does not need the rest (the migration CLI).
 * @throws ConfigError as `loadConfig`
 */
export function loadSettings<Name extends keyof Settings>(
  names: readonly Name[],
  environment: NodeJS.ProcessEnv = process.env,
): Pick<Settings, Name> {
  const values = present(environment);
  const results = names.map((name) => [name, settings.shape[name].safeParse(values[name])] as const);
  const problems = results.flatMap(([name, { error }]) => (error ? problemsOf(error, name) : []));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(results.map(([name, { data }]) => [name, data])) as Pick<Settings, Name>;
}

/** A variable set to nothing counts as not set, as compose files and shells write it. */
function present(environment: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
}

function problemsOf(error: z.ZodError, setting?: string): string[] {
  return error.issues.map((issue) => {
    const name = setting ?? issue.path.join('.');
    const missing = issue.code === 'invalid_type' && /undefined/.test(issue.message);
    return `${name}: ${missing ? 'is missing' : expectation(issue)}`;
  });
}

/** What zod says of a value may quote it; only our own words and its lists of options are safe to print. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (issue.code === 'custom' || issue.code === 'too_small') return issue.message;
  if (issue.code === 'invalid_format' && issue.format === 'regex') return issue.message;
  if (issue.code === 'invalid_format') return `must be a valid ${issue.format}`;
  return 'is not valid';
}

/** What no single setting can tell. */
function contradictions(values: Settings): string[] {
  const problems: string[] = [];
  if (Boolean(values.GIGVAULT_ADMIN_EMAIL) !== Boolean(values.GIGVAULT_ADMIN_PASSWORD)) {
    problems.push('GIGVAULT_ADMIN_EMAIL, GIGVAULT_ADMIN_PASSWORD: give both or neither');
  }
  if (!values.ENCRYPTION_KEYS === !values.ENCRYPTION_KEY_FILE) {
    problems.push('ENCRYPTION_KEYS, ENCRYPTION_KEY_FILE: give one of them');
  }
  if (values.SESSION_IDLE_SECONDS > values.SESSION_ABSOLUTE_SECONDS) {
    problems.push('SESSION_IDLE_SECONDS: must not exceed SESSION_ABSOLUTE_SECONDS');
  }
  if (values.IMPORT_SPOOL_BYTES < values.IMPORT_LIMIT_BYTES) {
    problems.push('IMPORT_SPOOL_BYTES: must not be less than IMPORT_LIMIT_BYTES');
  }
  if (values.HTTP_HEADERS_TIMEOUT_MS > values.HTTP_REQUEST_TIMEOUT_MS) {
    problems.push('HTTP_HEADERS_TIMEOUT_MS: must not exceed HTTP_REQUEST_TIMEOUT_MS');
  }
  problems.push(...backupContradictions(values));
  if (values.NODE_ENV === 'production') {
    if (values.GIGVAULT_EMBEDDED) problems.push('GIGVAULT_EMBEDDED: embedded services are not for production');
    if (values.PASSWORD_HASH_COST < 10) problems.push('PASSWORD_HASH_COST: must be at least 10 in production');
    if (!values.SMTP_URL) problems.push('SMTP_URL: is missing; production has no local outbox');
    if (!values.PUBLIC_URL) problems.push('PUBLIC_URL: is missing; links in mails need it in production');
  }
  return problems;
}

function backupContradictions(values: Settings): string[] {
  const missing = (['BACKUP_S3_ENDPOINT', 'BACKUP_S3_ACCESS_KEY', 'BACKUP_S3_SECRET_KEY'] as const).filter((name) => !values[name]);
  return values.BACKUP_S3_BUCKET && missing.length > 0 ? [`${missing.join(', ')}: missing, for BACKUP_S3_BUCKET is set`] : [];
}
