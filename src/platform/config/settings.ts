import { z } from 'zod';
import {
  backupSettings,
  flag,
  httpSettings,
  integer,
  isAddressOrNetwork,
  isBase64Key,
  isOrigin,
  list,
  model,
  money,
  providerUrl,
  secret,
  url,
} from './setting-groups';
import { auditSettings } from './audit-settings';
import { databaseSettings, redisSettings } from './connection-settings';
import { encryptionSettings } from './encryption-settings';
import { upworkSettings } from './upwork-settings';

/** The AI providers, as in the names of the settings; local is any server with OpenAI's protocol. */
const AI_PROVIDERS = ['openai', 'anthropic', 'google', 'local'] as const;

/** The name of an AI provider. */
export type AiProviderName = (typeof AI_PROVIDERS)[number];

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/**
 * All settings with format, default and description. `.env.example` is generated from this definition. Values are
 * strings of the environment; an empty one counts as absent.
 */
export const settings = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production closes /docs and /metrics and rejects embedded services.')
    .meta({ example: 'development' }),
  HOST: z.string().default('127.0.0.1').describe('Address the API listens on.').meta({ example: '127.0.0.1' }),
  PORT: integer(3000, 0, 65_535).describe('Port the API listens on; 0 selects a free one.').meta({ example: '3000' }),
  METRICS_PORT: integer(0, 0, 65_535)
    .describe('Separate port of /metrics; 0 serves it on the API, for admins only in production.')
    .meta({ example: '0' }),
  SHUTDOWN_DELAY_SECONDS: integer(0, 0, 300)
    .describe(
      'Seconds the API stays open after SIGTERM while /health/ready answers 503. ' +
        'Behind a load balancer: two to three of its probe intervals.',
    )
    .meta({ example: '0' }),
  PUBLIC_URL: url('http', 'https')
    .optional()
    .describe('URL of the API for clients, used in links in emails and errors; http://HOST:PORT when unset.')
    .meta({ example: 'https://api.example.com' }),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .optional()
    .describe('Lowest logged severity; info when unset, silent in tests.')
    .meta({ example: 'info' }),
  ...databaseSettings,
  ...redisSettings,
  CACHE_ENABLED: flag(true)
    .describe(
      "Caches users' frequent reads in memory and in Redis; values are at most a second old. " +
        'false always reads PostgreSQL. The same for all processes.',
    )
    .meta({ example: 'true' }),
  SECRET_KEY: z
    .string()
    .refine((value) => isBase64Key(value, 32), 'must be base64 of at least 32 random bytes')
    .describe('Root of derived keys: access tokens, password pepper, cursors. Create it with: openssl rand -base64 32')
    .meta({ example: '' }),
  CONTEXT_KEY: z
    .string()
    .refine((value) => isBase64Key(value, 32), 'must be base64 of at least 32 random bytes')
    .optional()
    .describe(
      'Signs the context of transactions; derived from SECRET_KEY by default. After a change, npm run migrate stores ' +
        'it, and the former key stays valid for a day. Create it with: openssl rand -base64 32',
    )
    .meta({ example: '' }),
  ...auditSettings,
  ...encryptionSettings,
  GIGVAULT_ADMIN_EMAIL: z
    .email()
    .optional()
    .describe(
      'Email address of the first admin, created at startup together with the password. A new address adds an admin.',
    )
    .meta({ example: 'admin@example.com' }),
  GIGVAULT_ADMIN_PASSWORD: z
    .string()
    .min(8, 'must have at least 8 characters')
    .optional()
    .describe('Password of the first admin, at least 8 characters; remove it after the first start.')
    .meta({ example: '' }),
  SMTP_URL: url('smtp', 'smtps')
    .optional()
    .describe('Mail server; required in production. When unset, emails stay in the local outbox.')
    .meta({ example: 'smtps://user:password@smtp.example.com' }),
  MAIL_FROM: z
    .string()
    .default('Gigvault <no-reply@localhost>')
    .describe('Sender of emails.')
    .meta({ example: 'Gigvault <no-reply@localhost>' }),
  CORS_ORIGINS: list()
    .refine(
      (origins) => origins.every(isOrigin),
      'must be origins such as https://app.example.com, separated by commas',
    )
    .describe(
      'Origins of browser clients (CORS), separated by commas; none when unset. ' +
        'NODE_ENV=development also allows http://localhost with any port.',
    )
    .meta({ example: 'https://app.example.com' }),
  TRUSTED_PROXIES: list()
    .refine(
      (proxies) => proxies.every(isAddressOrNetwork),
      'must be IP addresses or CIDR networks, separated by commas',
    )
    .describe('Proxies whose X-Forwarded-For is trusted, separated by commas; none when unset.')
    .meta({ example: '10.0.0.0/8' }),
  RATE_LIMIT_PER_MINUTE: integer(600, 0, 1_000_000)
    .describe('Requests per minute and user, or per address without sign-in; 0 means no limit.')
    .meta({ example: '600' }),
  AUTH_THROTTLE_SCALE: integer(1, 1, 1_000_000)
    .describe('Factor for the limits of failed sign-ins and registrations.')
    .meta({ example: '1' }),
  REGISTRATION_ENABLED: flag(true)
    .describe('false closes POST /v1/auth/register: no accounts can be created. Existing accounts are not affected.')
    .meta({ example: 'true' }),
  PASSWORD_HASH_COST: integer(12, 4, 16)
    .describe('bcrypt cost of passwords; each step doubles the time. At least 10 in production.')
    .meta({ example: '12' }),
  ...httpSettings,
  ACCESS_TOKEN_SECONDS: integer(900, 30, 3_600)
    .describe('Lifetime of an access token, in seconds.')
    .meta({ example: '900' }),
  SESSION_IDLE_SECONDS: integer(1_209_600, 60, 31_536_000)
    .describe('Seconds without use after which a session ends.')
    .meta({ example: '1209600' }),
  SESSION_ABSOLUTE_SECONDS: integer(7_776_000, 60, 31_536_000)
    .describe('Longest lifetime of a session, in seconds.')
    .meta({ example: '7776000' }),
  SESSION_MAX_PER_USER: integer(50, 1, 1_000)
    .describe('Most sessions of a user. Another sign-in ends the oldest and records an event that the user can read.')
    .meta({ example: '50' }),
  AI_PROVIDERS: list()
    .transform((names) => (names.length > 0 ? names : [...AI_PROVIDERS]) as AiProviderName[])
    .refine(
      (names) => names.every((name) => AI_PROVIDERS.includes(name)),
      `must be a list of ${AI_PROVIDERS.join(', ')}, separated by commas`,
    )
    .describe('AI providers in the order of attempts, separated by commas; those without a key are skipped.')
    .meta({ example: AI_PROVIDERS.join(',') }),
  AI_OPENAI_API_KEY: secret('API key of OpenAI; without it the provider is unavailable.'),
  AI_OPENAI_BASE_URL: providerUrl('https://api.openai.com/v1', 'OpenAI'),
  AI_OPENAI_MODEL: model('gpt-4.1-mini', 'OpenAI'),
  AI_ANTHROPIC_API_KEY: secret('API key of Anthropic; without it the provider is unavailable.'),
  AI_ANTHROPIC_BASE_URL: providerUrl('https://api.anthropic.com/v1', 'Anthropic'),
  AI_ANTHROPIC_MODEL: model('claude-sonnet-4-5', 'Anthropic'),
  AI_GOOGLE_API_KEY: secret('API key of Google; without it the provider is unavailable.'),
  AI_GOOGLE_BASE_URL: providerUrl('https://generativelanguage.googleapis.com/v1beta', 'Google'),
  AI_GOOGLE_MODEL: model('gemini-2.5-flash', 'Google'),
  AI_LOCAL_BASE_URL: url('http', 'https')
    .optional()
    .describe('URL of a server with the OpenAI protocol (Ollama, llama.cpp, vLLM); its calls are free.')
    .meta({ example: 'http://127.0.0.1:11434/v1' }),
  AI_LOCAL_API_KEY: secret('API key of the local server, if it needs one.'),
  AI_LOCAL_MODEL: model('llama3.2', 'the local server'),
  AI_MAX_OUTPUT_AI_TOKENS: integer(1_500, 16, 32_000)
    .describe('Longest text of a draft, in aiTokens; determines the reserved budget of a call.')
    .meta({ example: '1500' }),
  AI_TIMEOUT_SECONDS: integer(120, 1, 3_600)
    .describe('Time limit of a call to a provider, in seconds; half of it without any output also ends the call.')
    .meta({ example: '120' }),
  AI_DAILY_CEILING_USD: money(
    '5.00',
    'The most a user may spend on AI in a day (UTC), and the budget until the user sets a lower one.',
  ),
  AI_MONTHLY_CEILING_USD: money('50.00', 'The most a user may spend on AI in a month (UTC).'),
  AI_INSTALLATION_DAILY_CEILING_USD: money(
    '50.00',
    'The most all users together may spend on AI in a day (UTC); 0.00 means no ceiling. The same for all processes.',
  ),
  AI_INSTALLATION_MONTHLY_CEILING_USD: money(
    '500.00',
    'The most all users together may spend on AI in a month (UTC); 0.00 means no ceiling.',
  ),
  AI_UPWORK_TEXTS: flag(true)
    .describe(
      "Whether drafts may send texts from Upwork to AI providers; read Upwork's API terms. When false, drafts about " +
        'jobs with an id of Upwork, and drafts that continue its conversations, get 403.',
    )
    .meta({ example: 'true' }),
  AI_RUNS_PER_USER: integer(3, 1, 1_000)
    .describe('Drafts of a user that a process generates at once. As many may wait; further ones get 429.')
    .meta({ example: '3' }),
  AI_RUNS: integer(100, 1, 10_000)
    .describe('Drafts that a process generates at once. As many may wait; users are served in turn.')
    .meta({ example: '100' }),
  AI_STREAMS_PER_USER: integer(10, 1, 1_000)
    .describe('Open event streams of drafts per user in a process.')
    .meta({ example: '10' }),
  ...upworkSettings,
  TASK_LEASE_SECONDS: integer(20, 2, 3_600)
    .describe('Seconds without a sign of life after which another worker takes over a run; the same for all processes.')
    .meta({ example: '20' }),
  SECURITY_LOG_RETENTION_DAYS: integer(400, 30, 3_650)
    .describe('Days after which security events are deleted.')
    .meta({ example: '400' }),
  PARTITION_ARCHIVE_AFTER_YEARS: integer(0, 0, 100)
    .describe(
      'Whole years after which ended partitions are detached into schema archive, ' +
        'without access by the API, exports and erasure: dump and drop them there. 0 keeps all.',
    )
    .meta({ example: '0' }),
  WAL_RETENTION_HOURS: integer(4, 4, 87_600)
    .describe(
      'Hours after which the write-ahead log of PostgreSQL and its archive contain no change any more. ' +
        'Certificates of erasure state this time. Raise it to the retention of your archive.',
    )
    .meta({ example: '4' }),
  ...backupSettings,
  GIGVAULT_EMBEDDED: flag(false)
    .describe('Set by the launcher when it runs PostgreSQL and Redis itself; rejected in production.')
    .meta({ example: 'false' }),
  GIGVAULT_DATA_DIR: z
    .string()
    .default('.gigvault')
    .describe('Folder of embedded services and local backups.')
    .meta({ example: '.gigvault' }),
});

/** The settings after validation: numbers, booleans and lists instead of strings. */
export type Settings = z.infer<typeof settings>;

const HEADING = `\
# Settings of Gigvault. Generated by \`npm run env:example\` from src/platform/config/settings.ts: edit there.
# \`npm start\` does not need them: it runs PostgreSQL and Redis itself and creates the keys. A server started
# otherwise needs those marked "(required)". Remove the # of each setting you set. NAME_FILE instead of NAME is the
# path of a file that contains the value. docker/compose.yml lists the variables that it needs besides.
`;

/** Returns the text of `.env.example`: each setting as a comment with an example or the default. */
export function envExample(): string {
  const entries = Object.entries(settings.shape).map(([name, schema]) => {
    const { description = '', example = '' } = schema.meta() ?? {};
    const optional = schema.safeParse(undefined).success;
    return `# ${description}${optional ? '' : ' (required)'}\n# ${name}=${String(example)}\n`;
  });
  return [HEADING, ...entries].join('\n');
}
