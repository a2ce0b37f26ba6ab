import { hkdfSync } from 'node:crypto';
import { join, resolve } from 'node:path';
import { buildDatabase, buildRedis } from './connection-settings';
import { buildEncryption } from './encryption-settings';
import type { backupSettings } from './setting-groups';
import type { ServerSettings } from './process-settings';
import type { Settings } from './settings';

/**
 * The root key of the installation and keys derived from it. It is a private field, so that no log or error can print
 * it with the configuration.
 */
export class DerivedSecrets {
  readonly #root: Buffer;

  constructor(root: Buffer) {
    this.#root = root;
  }

  /** A copy of the root key, for another derivation; prefer `derive`. */
  get key(): Buffer {
    return Buffer.from(this.#root);
  }

  /**
   * Derives the key of one purpose. The same purpose gives the same key; keys of different purposes are independent.
   * @param purpose kebab-case; renaming it changes the key. In use: `access-token`, `password-pepper`, `cursor`,
   *   `email-hash`, `context`, `audit-heads`
   * @param bytes length of the key
   * @see RFC 5869 (HKDF)
   */
  derive(purpose: string, bytes = 32): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#root, '', `gigvault/${purpose}`, bytes));
  }
}

/** The typed, frozen configuration and its injection token. `loadConfig` (load-config.ts) creates it. */
export class Config {
  readonly environment: Settings['NODE_ENV'];
  readonly isProduction: boolean;
  /** True when the launcher runs PostgreSQL and Redis; then email may go to the local outbox. */
  readonly embedded: boolean;
  readonly dataDir: string;
  readonly http: ReturnType<typeof buildHttp>;
  readonly log: { readonly level: NonNullable<Settings['LOG_LEVEL']> };
  readonly database: ReturnType<typeof buildDatabase>;
  readonly redis: ReturnType<typeof buildRedis>;
  readonly cache: { readonly isEnabled: boolean };
  readonly secrets: DerivedSecrets;
  /** The root of the keys that sign the contexts of transactions. */
  readonly contextKey: Buffer;
  readonly audit: ReturnType<typeof buildAudit>;
  /** The master keys, of which the first wraps, or the path of the key file. */
  readonly encryption: ReturnType<typeof buildEncryption>;
  readonly auth: ReturnType<typeof buildAuth>;
  readonly mail: { readonly smtpUrl: string | undefined; readonly from: string };
  readonly limits: ReturnType<typeof buildLimits>;
  readonly ai: ReturnType<typeof buildAi>;
  readonly upwork: ReturnType<typeof buildUpwork>;
  /** Time after which a run of a silent worker is taken over. */
  readonly tasks: { readonly leaseMs: number };
  /** Retention times of old data; 0 years keep partitions forever. */
  readonly retention: {
    readonly securityLogDays: number;
    readonly partitionYears: number;
    readonly backupDays: number;
    readonly walHours: number;
  };
  readonly backups: ReturnType<typeof buildBackups>;

  constructor(settings: ServerSettings) {
    this.environment = settings.NODE_ENV;
    this.isProduction = settings.NODE_ENV === 'production';
    this.embedded = settings.GIGVAULT_EMBEDDED;
    this.dataDir = settings.GIGVAULT_DATA_DIR;
    this.http = buildHttp(settings);
    this.log = Object.freeze({ level: settings.LOG_LEVEL ?? (settings.NODE_ENV === 'test' ? 'silent' : 'info') });
    this.database = buildDatabase(settings);
    this.redis = buildRedis(settings);
    this.cache = Object.freeze({ isEnabled: settings.CACHE_ENABLED });
    this.secrets = new DerivedSecrets(Buffer.from(settings.SECRET_KEY, 'base64'));
    this.contextKey = buildContextKey(settings);
    this.audit = buildAudit(settings, this.secrets, this.http.publicUrl);
    this.encryption = buildEncryption(settings);
    this.auth = buildAuth(settings);
    this.mail = Object.freeze({ smtpUrl: settings.SMTP_URL, from: settings.MAIL_FROM });
    this.limits = buildLimits(settings);
    this.ai = buildAi(settings);
    this.upwork = buildUpwork(settings, this.http.publicUrl);
    this.tasks = Object.freeze({ leaseMs: settings.TASK_LEASE_SECONDS * 1_000 });
    this.retention = Object.freeze({
      securityLogDays: settings.SECURITY_LOG_RETENTION_DAYS,
      partitionYears: settings.PARTITION_ARCHIVE_AFTER_YEARS,
      backupDays: settings.BACKUP_RETENTION_DAYS,
      walHours: settings.WAL_RETENTION_HOURS,
    });
    this.backups = buildBackups(settings);
    Object.freeze(this);
  }

  /**
   * Returns the URL with this login.
   * @throws Error in a process that does not have it
   */
  getDatabaseUrl(login: keyof Config['database']['urls']): string {
    const url = this.database.urls[login];
    if (url === undefined) throw new Error(`This process has no login gigvault_${login}.`);
    return url;
  }
}

/** Builds the root of the keys that sign contexts; SECRET_KEY is needed without CONTEXT_KEY only. */
export function buildContextKey(settings: Partial<Pick<Settings, 'CONTEXT_KEY' | 'SECRET_KEY'>>): Buffer {
  const { CONTEXT_KEY, SECRET_KEY = '' } = settings;
  return CONTEXT_KEY === undefined
    ? new DerivedSecrets(Buffer.from(SECRET_KEY, 'base64')).derive('context')
    : Buffer.from(CONTEXT_KEY, 'base64');
}

function buildAudit(settings: ServerSettings, secrets: DerivedSecrets, publicUrl: string) {
  const { AUDIT_SIGNING_KEY: key } = settings;
  const { host } = new URL(publicUrl);
  return Object.freeze({
    /** The private key of Ed25519 that signs the heads of the audit log, 32 bytes. */
    signingKey: key === undefined ? secrets.derive('audit-heads') : Buffer.from(key, 'base64'),
    /** The name of a new log; a log keeps its name when PUBLIC_URL changes. */
    origin: `${host}/audit`,
    headFile: settings.AUDIT_HEAD_FILE,
    /** Address of the receiver of both logs. */
    stream: settings.AUDIT_STREAM,
    headWebhookUrl: settings.AUDIT_HEAD_WEBHOOK_URL,
    headEmail: settings.AUDIT_HEAD_EMAIL,
    witnesses: settings.AUDIT_WITNESSES,
    /** This installation as a witness of other logs; it is none without keys. */
    witness: Object.freeze({
      name: settings.AUDIT_WITNESS_NAME ?? `${host}/witness`,
      keys: settings.AUDIT_WITNESS_KEYS,
      logs: settings.AUDIT_WITNESSED_LOGS,
    }),
  });
}

/** Builds the configuration of backups, also for commands that need only this part. */
export function buildBackups(settings: Pick<Settings, BackupSetting | 'GIGVAULT_DATA_DIR'>) {
  const {
    BACKUP_S3_BUCKET: bucket,
    BACKUP_S3_ENDPOINT: endpoint,
    BACKUP_S3_ACCESS_KEY: accessKey,
    BACKUP_S3_SECRET_KEY: secretKey,
  } = settings;
  const { BACKUP_S3_REGION: region, BACKUP_S3_PREFIX: prefix } = settings;
  return Object.freeze({
    folder: resolve(settings.BACKUP_DIR ?? join(settings.GIGVAULT_DATA_DIR, 'backups')),
    /** Replaces the folder when set. */
    s3:
      bucket && endpoint && accessKey && secretKey
        ? Object.freeze({ endpoint, region, bucket, accessKey, secretKey, prefix })
        : undefined,
    keep: Object.freeze({
      daily: settings.BACKUP_KEEP_DAILY,
      weekly: settings.BACKUP_KEEP_WEEKLY,
      monthly: settings.BACKUP_KEEP_MONTHLY,
    }),
    maxAgeHours: settings.BACKUP_MAX_AGE_HOURS,
    scratchUrl: settings.BACKUP_SCRATCH_URL,
  });
}

/** A setting of backups. */
type BackupSetting = keyof typeof backupSettings;

function buildHttp(settings: ServerSettings) {
  const { HOST: host, PORT: port, METRICS_PORT: metricsPort } = settings;
  return Object.freeze({
    host,
    port,
    metricsPort,
    /** Without a trailing slash. */
    publicUrl: (settings.PUBLIC_URL ?? `http://${host}:${port}`).replace(/(?<!\/)\/+$/, ''),
    corsOrigins: settings.CORS_ORIGINS,
    /** Allows browser clients of http://localhost on any port. */
    allowsLocalOrigins: settings.NODE_ENV === 'development',
    trustedProxies: settings.TRUSTED_PROXIES,
    shutdownDelayMs: settings.SHUTDOWN_DELAY_SECONDS * 1_000,
    maxConnections: settings.HTTP_MAX_CONNECTIONS,
    maxConnectionsPerAddress: settings.HTTP_MAX_CONNECTIONS_PER_ADDRESS,
    requestTimeoutMs: settings.HTTP_REQUEST_TIMEOUT_MS,
    headersTimeoutMs: settings.HTTP_HEADERS_TIMEOUT_MS,
  });
}

function buildAuth(settings: ServerSettings) {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = settings;
  return Object.freeze({
    isRegistrationOpen: settings.REGISTRATION_ENABLED,
    accessTokenSeconds: settings.ACCESS_TOKEN_SECONDS,
    sessionIdleSeconds: settings.SESSION_IDLE_SECONDS,
    sessionAbsoluteSeconds: settings.SESSION_ABSOLUTE_SECONDS,
    maxSessions: settings.SESSION_MAX_PER_USER,
    throttleScale: settings.AUTH_THROTTLE_SCALE,
    passwordHashCost: settings.PASSWORD_HASH_COST,
    /** The first admin, when both settings are set. */
    firstAdmin: email && password ? Object.freeze({ email, password }) : undefined,
  });
}

function buildAi(settings: ServerSettings) {
  return Object.freeze({
    /** In the order of attempts. */
    order: settings.AI_PROVIDERS,
    vendors: Object.freeze({
      openai: buildProvider(settings.AI_OPENAI_API_KEY, settings.AI_OPENAI_BASE_URL, settings.AI_OPENAI_MODEL),
      anthropic: buildProvider(
        settings.AI_ANTHROPIC_API_KEY,
        settings.AI_ANTHROPIC_BASE_URL,
        settings.AI_ANTHROPIC_MODEL,
      ),
      google: buildProvider(settings.AI_GOOGLE_API_KEY, settings.AI_GOOGLE_BASE_URL, settings.AI_GOOGLE_MODEL),
      local: buildProvider(settings.AI_LOCAL_API_KEY, settings.AI_LOCAL_BASE_URL, settings.AI_LOCAL_MODEL),
    }),
    maxOutputAiTokens: settings.AI_MAX_OUTPUT_AI_TOKENS,
    timeoutMs: settings.AI_TIMEOUT_SECONDS * 1_000,
    dailyCeilingUsd: settings.AI_DAILY_CEILING_USD,
    monthlyCeilingUsd: settings.AI_MONTHLY_CEILING_USD,
    /** 0.00 means no ceiling. */
    installationDailyCeilingUsd: settings.AI_INSTALLATION_DAILY_CEILING_USD,
    installationMonthlyCeilingUsd: settings.AI_INSTALLATION_MONTHLY_CEILING_USD,
    allowsUpworkTexts: settings.AI_UPWORK_TEXTS,
    runs: settings.AI_RUNS,
    runsPerUser: settings.AI_RUNS_PER_USER,
    streamsPerUser: settings.AI_STREAMS_PER_USER,
  });
}

function buildProvider(apiKey: string | undefined, baseUrl: string | undefined, model: string) {
  return Object.freeze({ apiKey, baseUrl: baseUrl?.replace(/(?<!\/)\/+$/, ''), model });
}

function buildLimits(settings: ServerSettings) {
  return Object.freeze({
    /** 0 means no limit. */
    requestsPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    bodyBytes: settings.BODY_LIMIT_BYTES,
    importBytes: settings.IMPORT_LIMIT_BYTES,
    spoolBytes: settings.IMPORT_SPOOL_BYTES,
    largeBodies: settings.LARGE_BODIES_AT_ONCE,
    largeBodiesPerCaller: settings.LARGE_BODIES_AT_ONCE_PER_CALLER,
  });
}

function buildUpwork(settings: ServerSettings, publicUrl: string) {
  const { UPWORK_CLIENT_ID: id, UPWORK_CLIENT_SECRET: secret } = settings;
  return Object.freeze({
    /** The operator's API application, when both settings are set. */
    client: id && secret ? Object.freeze({ id, secret }) : undefined,
    redirectUrl: settings.UPWORK_REDIRECT_URL ?? `${publicUrl}/v1/tokens/upwork/callback`,
    usesPkce: settings.UPWORK_PKCE,
    authorizeUrl: settings.UPWORK_AUTHORIZE_URL,
    tokenUrl: settings.UPWORK_TOKEN_URL,
    apiUrl: settings.UPWORK_API_URL,
    requestsPerSecond: settings.UPWORK_REQUESTS_PER_SECOND,
    /** Calls of all processes per UTC day. */
    callsPerDay: settings.UPWORK_CALLS_PER_DAY,
    /** Shortest interval of a user's requests for a synchronisation. */
    syncIntervalSeconds: settings.UPWORK_SYNC_INTERVAL_SECONDS,
    /** Interval of each kind of synchronisation while enough calls are left, in seconds. */
    pollingSeconds: Object.freeze({
      jobs: settings.UPWORK_JOBS_INTERVAL_SECONDS,
      proposals: settings.UPWORK_PROPOSALS_INTERVAL_SECONDS,
      messages: settings.UPWORK_MESSAGES_INTERVAL_SECONDS,
    }),
    /** Lifetime of unused content; 0 means forever. */
    cacheHours: settings.UPWORK_CACHE_HOURS,
  });
}
