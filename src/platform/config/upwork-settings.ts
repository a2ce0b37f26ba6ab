import { z } from 'zod';
import { flag, integer, url } from './setting-groups';

/** The settings of Upwork: its API application, its addresses, the limits of calls and the intervals of polling. */
export const upworkSettings = {
  UPWORK_CLIENT_ID: z
    .string()
    .optional()
    .describe('Key of your Upwork API application; without it, tokens can be stored but not obtained or refreshed.')
    .meta({ example: '' }),
  UPWORK_CLIENT_SECRET: z.string().optional().describe('Secret of that application.').meta({ example: '' }),
  UPWORK_REDIRECT_URL: url('http', 'https')
    .optional()
    .describe('Callback URL registered with Upwork; PUBLIC_URL/v1/tokens/upwork/callback when unset.')
    .meta({ example: 'https://app.example.com/upwork/connected' }),
  UPWORK_PKCE: flag(true)
    .describe('Whether authorizations use PKCE (RFC 7636). Set false only if Upwork refuses them for it.')
    .meta({ example: 'true' }),
  UPWORK_AUTHORIZE_URL: url('http', 'https')
    .default('https://www.upwork.com/ab/account-security/oauth2/authorize')
    .describe("URL of Upwork's authorization page.")
    .meta({ example: 'https://www.upwork.com/ab/account-security/oauth2/authorize' }),
  UPWORK_TOKEN_URL: url('http', 'https')
    .default('https://www.upwork.com/api/v3/oauth2/token')
    .describe("URL of Upwork's token endpoint.")
    .meta({ example: 'https://www.upwork.com/api/v3/oauth2/token' }),
  UPWORK_API_URL: url('http', 'https')
    .default('https://api.upwork.com/graphql')
    .describe("URL of Upwork's GraphQL API.")
    .meta({ example: 'https://api.upwork.com/graphql' }),
  UPWORK_REQUESTS_PER_SECOND: integer(5, 1, 100)
    .describe('Calls to Upwork per second of all processes together; Upwork allows 10.')
    .meta({ example: '5' }),
  UPWORK_CALLS_PER_DAY: integer(40_000, 100, 10_000_000)
    .describe(
      'Calls to Upwork per UTC day of all processes together; Upwork allows 40,000 for a key. ' +
        'Synchronisation slows down when they run short and leaves the last tenth to requests of users.',
    )
    .meta({ example: '40000' }),
  UPWORK_JOBS_INTERVAL_SECONDS: integer(1_800, 60, 86_400)
    .describe('Seconds between two synchronisations of the jobs of saved searches; one call per search at rest.')
    .meta({ example: '1800' }),
  UPWORK_PROPOSALS_INTERVAL_SECONDS: integer(3_600, 60, 86_400)
    .describe('Seconds between two synchronisations of proposals; eight calls at rest.')
    .meta({ example: '3600' }),
  UPWORK_MESSAGES_INTERVAL_SECONDS: integer(480, 60, 86_400)
    .describe('Seconds between two synchronisations of messages; one call at rest.')
    .meta({ example: '480' }),
  UPWORK_SYNC_INTERVAL_SECONDS: integer(30, 0, 3_600)
    .describe("Shortest interval of a user's synchronisations of one kind, in seconds; 0 means no limit.")
    .meta({ example: '30' }),
  UPWORK_CACHE_HOURS: integer(24, 0, 8_760)
    .describe('Hours until jobs that no search finds lose their content, unless in use; Upwork requires 24. 0: never.')
    .meta({ example: '24' }),
};
