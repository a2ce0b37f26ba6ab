import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const POSTGRES_EXAMPLE_HOST = '127.0.0.1:5432/gigvault';

/** Base64 in the standard and the URL-safe alphabet. */
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** The example of a setting in the generated `.env.example`. */
interface SettingExample {
  /** A valid value; for optional settings the default. */
  readonly example: string;
}

/** Defines a boolean setting. */
export function flag(defaultValue: boolean) {
  return z
    .enum(['true', 'false', '1', '0'], 'must be true or false')
    .default(defaultValue ? 'true' : 'false')
    .transform((value) => value === 'true' || value === '1');
}

/** Defines a whole number within limits. */
export function integer(defaultValue: number, min: number, max: number) {
  const expected = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, expected)
    .default(String(defaultValue))
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected);
}

/** Defines a URL with one of these protocols. */
export function url(...protocols: string[]) {
  const schemes = protocols.map((protocol) => `${protocol}://`).join(' or ');
  return z.string().refine((value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, host } = new URL(value);
    return protocols.includes(protocol.slice(0, -1)) && host !== '';
  }, `must be a URL that begins with ${schemes}`);
}

/** Defines a comma-separated list. */
export function list() {
  return z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    );
}

/** Defines an optional secret. */
export function secret(description: string) {
  return z
    .string()
    .optional()
    .describe(description)
    .meta({ example: '' } satisfies SettingExample);
}

/** Defines the base URL of an AI provider; by default the public one. */
export function providerUrl(defaultValue: string, provider: string) {
  return url('http', 'https')
    .default(defaultValue)
    .describe(`Base URL of ${provider}'s API, or of a compatible gateway.`)
    .meta({ example: defaultValue } satisfies SettingExample);
}

/** Defines the default model of an AI provider. */
export function model(defaultValue: string, provider: string) {
  return z
    .string()
    .regex(/^[\w.:/-]{1,100}$/, 'must be the name of a model')
    .default(defaultValue)
    .describe(`Default model of ${provider} for drafts.`)
    .meta({ example: defaultValue } satisfies SettingExample);
}

/** Defines an amount of USD with two decimals. */
export function money(defaultValue: string, description: string) {
  return z
    .string()
    .regex(/^\d{1,8}\.\d{2}$/, 'must be an amount with two decimals, such as 5.00')
    .default(defaultValue)
    .describe(description)
    .meta({ example: defaultValue } satisfies SettingExample);
}

/** Defines the URL of PostgreSQL with the login of one role. */
export function databaseUrl(role: string, use: string) {
  return url('postgres', 'postgresql')
    .describe(`Login for ${use}.`)
    .meta({ example: `postgres://gigvault_${role}:change-me@${POSTGRES_EXAMPLE_HOST}` } satisfies SettingExample);
}

/** Returns whether the value is an IP address or a network in CIDR notation. */
export function isAddressOrNetwork(value: string): boolean {
  return ipaddr.isValid(value) || ipaddr.isValidCIDR(value);
}

/** Returns whether the value is a web origin: scheme, host and port. */
export function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;
}

/** Returns whether the value is Base64 of a number of bytes within limits. */
export function isBase64Key(value: string, minBytes: number, maxBytes = Infinity): boolean {
  const { length } = Buffer.from(value, 'base64');
  return BASE64.test(value) && length >= minBytes && length <= maxBytes;
}

/** The settings of HTTP connections and request bodies. */
export const httpSettings = {
  BODY_LIMIT_BYTES: integer(1_048_576, 1_024, 104_857_600)
    .describe('Largest request body, in bytes; at most 64 KiB on routes without sign-in.')
    .meta({ example: '1048576' }),
  IMPORT_LIMIT_BYTES: integer(67_108_864, 1_024, 1_073_741_824)
    .describe('Largest body of an import, in bytes.')
    .meta({ example: '67108864' }),
  IMPORT_SPOOL_BYTES: integer(1_073_741_824, 1_024, 1_099_511_627_776)
    .describe(
      'Most bytes of all imports of a process in temporary files; beyond that, 503. At least IMPORT_LIMIT_BYTES.',
    )
    .meta({ example: '1073741824' }),
  LARGE_BODIES_AT_ONCE: integer(64, 1, 10_000)
    .describe('Bodies over 64 KiB, or of unknown length, that a process receives at once.')
    .meta({ example: '64' }),
  LARGE_BODIES_AT_ONCE_PER_CALLER: integer(8, 1, 10_000)
    .describe('The same for one user, or for one address without sign-in.')
    .meta({ example: '8' }),
  HTTP_MAX_CONNECTIONS: integer(10_000, 1, 1_000_000)
    .describe('Most open connections of a process; further ones are closed. The limit of open files must be higher.')
    .meta({ example: '10000' }),
  HTTP_MAX_CONNECTIONS_PER_ADDRESS: integer(1_000, 1, 1_000_000)
    .describe('The same for one address (IPv6: /64); does not apply when TRUSTED_PROXIES is set.')
    .meta({ example: '1000' }),
  HTTP_REQUEST_TIMEOUT_MS: integer(120_000, 100, 3_600_000)
    .describe('Time limit for a client to send a whole request, in milliseconds.')
    .meta({ example: '120000' }),
  HTTP_HEADERS_TIMEOUT_MS: integer(15_000, 100, 600_000)
    .describe('Time limit for a client to send the headers of a request, in milliseconds.')
    .meta({ example: '15000' }),
};

function text(description: string, example: string) {
  return z
    .string()
    .optional()
    .describe(description)
    .meta({ example } satisfies SettingExample);
}

/** The settings of backups: storage, retention and verification. */
export const backupSettings = {
  BACKUP_DIR: text(
    'Folder of backups, best on another disk; GIGVAULT_DATA_DIR/backups when unset. Not used with BACKUP_S3_BUCKET.',
    '/var/backups/gigvault',
  ),
  BACKUP_S3_BUCKET: text(
    'Bucket of backups in an S3-compatible store; needs the endpoint and both keys.',
    'gigvault-backups',
  ),
  BACKUP_S3_ENDPOINT: url('http', 'https')
    .optional()
    .describe('Endpoint URL of the S3 store.')
    .meta({ example: 'https://s3.eu-central-1.amazonaws.com' } satisfies SettingExample),
  BACKUP_S3_REGION: z
    .string()
    .default('us-east-1')
    .describe('Region of the bucket.')
    .meta({ example: 'us-east-1' } satisfies SettingExample),
  BACKUP_S3_PREFIX: z
    .string()
    .regex(/^(?:[\w.-]+\/)*$/, 'must be empty or end with a slash')
    .default('')
    .describe('Prefix of the names in the bucket.')
    .meta({ example: 'gigvault/' } satisfies SettingExample),
  BACKUP_S3_ACCESS_KEY: secret('Access key of the S3 store; needs the rights to write, read, list and delete.'),
  BACKUP_S3_SECRET_KEY: secret('Secret key of the S3 store.'),
  BACKUP_KEEP_DAILY: integer(7, 1, 366)
    .describe('Verified backups to keep: the newest of each of this many days …')
    .meta({ example: '7' } satisfies SettingExample),
  BACKUP_KEEP_WEEKLY: integer(4, 0, 104)
    .describe('… the newest of each of this many weeks …')
    .meta({ example: '4' } satisfies SettingExample),
  BACKUP_KEEP_MONTHLY: integer(1, 0, 120)
    .describe('… and the newest of each of this many months.')
    .meta({ example: '1' } satisfies SettingExample),
  BACKUP_RETENTION_DAYS: integer(35, 1, 3_650)
    .describe(
      'Days after which every backup is deleted, except the newest verified one. ' +
        'Certificates of erasure state this date.',
    )
    .meta({ example: '35' } satisfies SettingExample),
  BACKUP_MAX_AGE_HOURS: integer(26, 1, 8_760)
    .describe('Hours after which the dashboard reports the newest verified backup as too old.')
    .meta({ example: '26' } satisfies SettingExample),
  BACKUP_SCRATCH_URL: url('postgres', 'postgresql')
    .optional()
    .describe(
      'Superuser login of a PostgreSQL for verifying backups, never the one with the data. ' +
        'When unset, each check starts a cluster with the PostgreSQL installed by npm or Debian.',
    )
    .meta({ example: 'postgres://postgres:change-me@127.0.0.1:5433/postgres' } satisfies SettingExample),
};
