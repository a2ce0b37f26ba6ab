import { z } from 'zod';
import { backupSettings, httpSettings } from './setting-groups';
import {
  databaseUrl,
  flag,
  integer,
  isAddressOrNetwork,
  isEncryptionKey,
  isKeyOf,
  isOrigin,
  list,
  model,
  money,
  secret,
  url,
  vendorUrl,
} from './setting-forms';

/** The AI vendors, by the names of the settings; local is any server with OpenAI's protocol. */
const AI_PROVIDERS = ['openai', 'anthropic', 'google', 'local'] as const;

/** The name of an AI vendor. */
export type AiProviderName = (typeof AI_PROVIDERS)[number];

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/**
 * Every setting of the product: its form, its default and its description. The only definition; `.env.example` is
 * generated from it. Values are strings as the environment has them; an empty one counts as absent.
 */
export const settings = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production closes /docs and /metrics and refuses embedded services.')
    .meta({ example: 'development' }),
  HOST: z.string().default('127.0.0.1').describe('Address the API listens on.').meta({ example: '127.0.0.1' }),
  PORT: integer(3000, 0, 65_535).describe('Port the API listens on; 0 takes a free one.').meta({ example: '3000' }),
  METRICS_PORT: integer(0, 0, 65_535)
    .describe('Port of /metrics apart from the API; 0 serves it on the API, for admins only in production.')
    .meta({ example: '0' }),
  SHUTDOWN_DELAY_SECONDS: integer(0, 0, 300)
    .describe(
      'How long the API stays open after SIGTERM while /health/ready answers 503; behind a load balancer two to three of its probe intervals.',
    )
    .meta({ example: '0' }),
  PUBLIC_URL: url('http', 'https')
    .optional()
    .describe('Address under which clients reach the API, for links in mails and errors; http://HOST:PORT when unset.')
    .meta({ example: 'https://api.example.com' }),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .optional()
    .describe('Least severity that is logged; info when unset, silent under test.')
    .meta({ example: 'info' }),
  DATABASE_URL: databaseUrl('app', 'every request of a tenant; row level security holds it'),
  DATABASE_AUTH_URL: databaseUrl('auth', 'registration and sign-in: functions of schema auth only'),
  DATABASE_WORKER_URL: databaseUrl('worker', 'scheduled tasks'),
  DATABASE_ADMIN_URL: databaseUrl('admin', "the admin's routes"),
  DATABASE_MIGRATION_URL: databaseUrl('migrator', 'migrations'),
  DATABASE_BACKUP_URL: databaseUrl('backup', 'backups: reads everything, writes nothing'),
  DATABASE_MONITOR_URL: databaseUrl('monitor', 'statistics and health'),
  DATABASE_POOL_SIZE: integer(10, 1, 500).describe('Connections per process for requests.').meta({ example: '10' }),
  DATABASE_CONNECT_TIMEOUT_MS: integer(2_000, 100, 60_000)
    .describe('How long a request waits for a free connection before it is answered 503, in milliseconds.')
    .meta({ example: '2000' }),
  DATABASE_PREPARED_STATEMENTS: flag(true)
    .describe('Named prepared statements; false behind a PgBouncer older than 1.21.')
    .meta({ example: 'true' }),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(15_000, 100, 600_000)
    .describe(
      'Longest run of one statement, in milliseconds; tasks set their own. An answer 2 s later than that is a 503.',
    )
    .meta({ example: '15000' }),
  DATABASE_LIST_TIMEOUT_MS: integer(5_000, 100, 600_000)
    .describe('Longest run of the statement of a list or a search, in milliseconds.')
    .meta({ example: '5000' }),
  REDIS_URL: url('redis', 'rediss')
    .describe('Redis of sessions, limits and queues; its maxmemory-policy must be noeviction.')
    .meta({ example: 'redis://127.0.0.1:6379/0' }),
  CACHE_ENABLED: flag(true)
    .describe(
      'Keeps what a user reads often in memory and in Redis, for at most a second after it changed; false asks PostgreSQL each time. The same for all processes.',
    )
    .meta({ example: 'true' }),
  SECRET_KEY: z
    .string()
    .refine((value) => isKeyOf(value, 32), 'must be base64 of at least 32 random bytes')
    .describe('Root of the derived keys: access tokens, password pepper, cursors. Make one: openssl rand -base64 32')
    .meta({ example: '' }),
  ENCRYPTION_KEYS: z
    .string()
    .transform((value) => value.split(',').map((entry) => entry.trim()))
    .refine((entries) => entries.every(isEncryptionKey), 'must be id:base64 of exactly 32 bytes, several by commas')
    .refine((entries) => new Set(entries.map((entry) => entry.split(':')[0])).size === entries.length, 'repeats an id')
    .optional()
    .describe(
      'Master keys of secrets at rest as id:base64[,id:base64…]; the first wraps, all unwrap. This or ENCRYPTION_KEY_FILE.',
    )
    .meta({ example: '' }),
  ENCRYPTION_KEY_FILE: z
    .string()
    .optional()
    .describe(
      'File with the master keys, the same for all processes and closed to others (mode 0600); a rotation makes its own key in it.',
    )
    .meta({ example: '/var/lib/gigvault/encryption-keys.json' }),
  GIGVAULT_ADMIN_EMAIL: z
    .email()
    .optional()
    .describe('Makes the first admin at start, together with the password.')
    .meta({ example: 'admin@example.com' }),
  GIGVAULT_ADMIN_PASSWORD: z
    .string()
    .min(8, 'must have at least 8 characters')
    .optional()
    .describe('Password of the first admin, 8 characters or more; remove it after the first start.')
    .meta({ example: '' }),
  SMTP_URL: url('smtp', 'smtps')
    .optional()
    .describe('Mail server; required in production. When unset, emails stay in the local outbox.')
    .meta({ example: 'smtps://user:password@smtp.example.com' }),
  MAIL_FROM: z
    .string()
    .default('Gigvault <no-reply@localhost>')
    .describe('Sender of mails.')
    .meta({ example: 'Gigvault <no-reply@localhost>' }),
  CORS_ORIGINS: list()
    .refine((origins) => origins.every(isOrigin), 'must be origins such as https://app.example.com, by commas')
    .describe('Origins whose browsers may call the API, by commas; none when unset.')
    .meta({ example: 'https://app.example.com' }),
  TRUSTED_PROXIES: list()
    .refine((proxies) => proxies.every(isAddressOrNetwork), 'must be IP addresses or CIDR networks, by commas')
    .describe('Proxies whose X-Forwarded-For is believed, by commas; none when unset.')
    .meta({ example: '10.0.0.0/8' }),
  RATE_LIMIT_PER_MINUTE: integer(600, 0, 1_000_000)
    .describe('Requests a minute per user, or per address when not signed in; 0 is no limit.')
    .meta({ example: '600' }),
  AUTH_THROTTLE_SCALE: integer(1, 1, 1_000_000)
    .describe('Multiplies the limits of failed sign-ins and of registrations.')
    .meta({ example: '1' }),
  REGISTRATION_ENABLED: flag(true)
    .describe('false closes POST /v1/auth/register: nobody can make an account. Accounts that exist are not affected.')
    .meta({ example: 'true' }),
  PASSWORD_HASH_COST: integer(12, 4, 16)
    .describe('bcrypt cost of passwords, one more doubles the time; at least 10 in production.')
    .meta({ example: '12' }),
  ...httpSettings,
  ACCESS_TOKEN_SECONDS: integer(900, 30, 3_600).describe('Life of an access token.').meta({ example: '900' }),
  SESSION_IDLE_SECONDS: integer(1_209_600, 60, 31_536_000)
    .describe('A session unused for so long ends.')
    .meta({ example: '1209600' }),
  SESSION_ABSOLUTE_SECONDS: integer(7_776_000, 60, 31_536_000)
    .describe('A session ends after so long in any case.')
    .meta({ example: '7776000' }),
  AI_PROVIDERS: list()
    .transform((names) => (names.length > 0 ? names : [...AI_PROVIDERS]) as AiProviderName[])
    .refine(
      (names) => names.every((name) => AI_PROVIDERS.includes(name)),
      `must be of ${AI_PROVIDERS.join(', ')}, by commas`,
    )
    .describe('AI vendors in the order they are tried, by commas; one without a key is left out.')
    .meta({ example: AI_PROVIDERS.join(',') }),
  AI_OPENAI_API_KEY: secret('Key of OpenAI; without it the vendor is unavailable.'),
  AI_OPENAI_BASE_URL: vendorUrl('https://api.openai.com/v1', 'OpenAI'),
  AI_OPENAI_MODEL: model('gpt-4.1-mini', 'OpenAI'),
  AI_ANTHROPIC_API_KEY: secret('Key of Anthropic; without it the vendor is unavailable.'),
  AI_ANTHROPIC_BASE_URL: vendorUrl('https://api.anthropic.com/v1', 'Anthropic'),
  AI_ANTHROPIC_MODEL: model('claude-sonnet-4-5', 'Anthropic'),
  AI_GOOGLE_API_KEY: secret('Key of Google; without it the vendor is unavailable.'),
  AI_GOOGLE_BASE_URL: vendorUrl('https://generativelanguage.googleapis.com/v1beta', 'Google'),
  AI_GOOGLE_MODEL: model('gemini-2.5-flash', 'Google'),
  AI_LOCAL_BASE_URL: url('http', 'https')
    .optional()
    .describe('A server that speaks the OpenAI protocol (Ollama, llama.cpp, vLLM); its calls count as free.')
    .meta({ example: 'http://127.0.0.1:11434/v1' }),
  AI_LOCAL_API_KEY: secret('Key of the local server, where it wants one.'),
  AI_LOCAL_MODEL: model('llama3.2', 'the local server'),
  AI_MAX_OUTPUT_AI_TOKENS: integer(1_500, 16, 32_000)
    .describe('Longest text of a draft, in aiTokens; what a call reserves depends on it.')
    .meta({ example: '1500' }),
  AI_TIMEOUT_SECONDS: integer(120, 1, 3_600)
    .describe('A call of a vendor that takes longer is ended; half of it without a word, too.')
    .meta({ example: '120' }),
  AI_DAILY_CEILING_USD: money(
    '5.00',
    'The most a user may spend on AI in a day (UTC), and his budget until he sets a lower one.',
  ),
  AI_MONTHLY_CEILING_USD: money('50.00', 'The most a user may spend on AI in a month (UTC).'),
  AI_INSTALLATION_DAILY_CEILING_USD: money(
    '50.00',
    'The most all users together may spend on AI in a day (UTC); 0.00 is no ceiling. The same for all processes.',
  ),
  AI_INSTALLATION_MONTHLY_CEILING_USD: money(
    '500.00',
    'The most all users together may spend on AI in a month (UTC); 0.00 is no ceiling.',
  ),
  AI_RUNS_PER_USER: integer(3, 1, 1_000)
    .describe('Drafts of a user that are written at once in a process; as many wait, and more are answered 429.')
    .meta({ example: '3' }),
  AI_RUNS: integer(100, 1, 10_000)
    .describe('Drafts that are written at once in a process; as many wait, and users take turns.')
    .meta({ example: '100' }),
  AI_STREAMS_PER_USER: integer(10, 1, 1_000)
    .describe('Event streams of drafts that a user may have open at once in a process.')
    .meta({ example: '10' }),
  UPWORK_CLIENT_ID: z
    .string()
    .optional()
    .describe('Key of your Upwork API application; without it connections are only stored, not made or refreshed.')
    .meta({ example: '' }),
  UPWORK_CLIENT_SECRET: z.string().optional().describe('Secret of that application.').meta({ example: '' }),
  UPWORK_REDIRECT_URL: url('http', 'https')
    .optional()
    .describe('Callback URL registered with Upwork; PUBLIC_URL/v1/tokens/upwork/callback when unset.')
    .meta({ example: 'https://app.example.com/upwork/connected' }),
  UPWORK_AUTHORIZE_URL: url('http', 'https')
    .default('https://www.upwork.com/ab/account-security/oauth2/authorize')
    .describe("Upwork's page where a user allows the connection.")
    .meta({ example: 'https://www.upwork.com/ab/account-security/oauth2/authorize' }),
  UPWORK_TOKEN_URL: url('http', 'https')
    .default('https://www.upwork.com/api/v3/oauth2/token')
    .describe("Upwork's address of tokens.")
    .meta({ example: 'https://www.upwork.com/api/v3/oauth2/token' }),
  UPWORK_API_URL: url('http', 'https')
    .default('https://api.upwork.com/graphql')
    .describe("Upwork's GraphQL address.")
    .meta({ example: 'https://api.upwork.com/graphql' }),
  UPWORK_REQUESTS_PER_SECOND: integer(5, 1, 100)
    .describe('Calls to Upwork a second, all processes together; Upwork allows 10.')
    .meta({ example: '5' }),
  UPWORK_SYNC_INTERVAL_SECONDS: integer(30, 0, 3_600)
    .describe('A user may ask for a synchronisation of one kind once in so many seconds; 0 is no limit.')
    .meta({ example: '30' }),
  UPWORK_CACHE_HOURS: integer(24, 0, 8_760)
    .describe(
      "Vacancies no search has seen for so long lose their content, unless their user made them his own; Upwork's terms name 24. 0 keeps all.",
    )
    .meta({ example: '24' }),
  TASK_LEASE_SECONDS: integer(20, 2, 3_600)
    .describe(
      'A worker that is silent for so long has lost its run, which another takes over; the same for all processes.',
    )
    .meta({ example: '20' }),
  SECURITY_LOG_RETENTION_DAYS: integer(400, 30, 3_650)
    .describe('Security events older than so many days are deleted.')
    .meta({ example: '400' }),
  PARTITION_ARCHIVE_AFTER_YEARS: integer(0, 0, 100)
    .describe(
      'Partitions that ended so many whole years ago are detached and put into schema archive, out of reach of the API, of exports and of erasure: dump and drop them there. 0 keeps all.',
    )
    .meta({ example: '0' }),
  ...backupSettings,
  GIGVAULT_EMBEDDED: flag(false)
    .describe('Set by the launcher when it runs PostgreSQL and Redis itself; refused in production.')
    .meta({ example: 'false' }),
  GIGVAULT_DATA_DIR: z
    .string()
    .default('.gigvault')
    .describe('Folder of embedded services and local backups.')
    .meta({ example: '.gigvault' }),
});

/** The settings after validation: numbers, booleans and lists instead of strings. */
export type Settings = z.infer<typeof settings>;

const HEADING = `# Settings of Gigvault. Generated by \`npm run env:example\` from src/platform/config/settings.ts: edit there.
# \`npm start\` needs none of them: it runs PostgreSQL and Redis itself and makes the keys. A server that is started otherwise
# needs those marked "(required)". Remove the # of what you set.
`;

/** Returns the text of `.env.example`: each setting as a comment with an example, the default of an optional one. */
export function envExample(): string {
  const entries = Object.entries(settings.shape).map(([name, schema]) => {
    const { description = '', example = '' } = schema.meta() ?? {};
    const optional = schema.safeParse(undefined).success;
    return `# ${description}${optional ? '' : ' (required)'}\n# ${name}=${String(example)}\n`;
  });
  return [HEADING, ...entries].join('\n');
}
