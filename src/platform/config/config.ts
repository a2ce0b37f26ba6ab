import { hkdfSync } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { backupSettings } from './setting-groups';
import type { Settings } from './settings';

/**
 * The root key of the installation. It lives in a private field, so that no log or error can print it with the
 * configuration it is part of.
 */
export class DerivedSecrets {
  readonly #root: Buffer;

  constructor(root: Buffer) {
    this.#root = root;
  }

  /** The root itself, for who derives by his own rule; prefer `derive`. */
  get key(): Buffer {
    return Buffer.from(this.#root);
  }

  /**
   * Returns the key of one purpose; the same purpose always gives the same key, no purpose tells another's.
   * @param purpose kebab-case and lasting: renaming it changes the key. In use: `access-token`, `password-pepper`, `cursor`, `email-hash`
   * @param bytes length of the key
   * @see RFC 5869 (HKDF)
   */
  derive(purpose: string, bytes = 32): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#root, '', `gigvault/${purpose}`, bytes));
  }
}

/** One key of secrets at rest. */
export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The typed, frozen configuration, and the token it is injected by. Made by `loadConfig` (load-config.ts). */
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
  readonly secrets: DerivedSecrets;
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
  readonly retention: {
    readonly securityLogDays: number;
    readonly partitionYears: number;
    readonly backupDays: number;
  };
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
    this.secrets = new DerivedSecrets(Buffer.from(settings.SECRET_KEY, 'base64'));
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
  const {
    BACKUP_S3_BUCKET: bucket,
    BACKUP_S3_ENDPOINT: endpoint,
    BACKUP_S3_ACCESS_KEY: accessKey,
    BACKUP_S3_SECRET_KEY: secretKey,
  } = settings;
  const { BACKUP_S3_REGION: region, BACKUP_S3_PREFIX: prefix } = settings;
  return Object.freeze({
    folder: resolve(settings.BACKUP_DIR ?? join(settings.GIGVAULT_DATA_DIR, 'backups')),
    /** In place of the folder, when it is set. */
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
export function encryptionOf({
  ENCRYPTION_KEYS: entries = [],
  ENCRYPTION_KEY_FILE: keyFile,
}: Pick<Settings, 'ENCRYPTION_KEYS' | 'ENCRYPTION_KEY_FILE'>) {
  return Object.freeze({ keys: Object.freeze(entries.map(toEncryptionKey)), keyFile });
}

function toEncryptionKey(entry: string): EncryptionKey {
  const [id = '', key = ''] = entry.split(':');
  return Object.freeze({ id, key: Buffer.from(key, 'base64') });
}
