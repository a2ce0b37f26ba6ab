import { integer } from './setting-forms';

/** The settings of connections and of bodies on their way. */
export const httpSettings = {
  BODY_LIMIT_BYTES: integer(1_048_576, 1_024, 104_857_600)
    .describe('Largest request body, in bytes; 64 KiB at most on routes without a sign-in.')
    .meta({ example: '1048576' }),
  IMPORT_LIMIT_BYTES: integer(67_108_864, 1_024, 1_073_741_824)
    .describe('Largest body of an import, in bytes.')
    .meta({ example: '67108864' }),
  IMPORT_SPOOL_BYTES: integer(1_073_741_824, 1_024, 1_099_511_627_776)
    .describe(
      'Bytes that all imports of a process may hold in temporary files; more are answered 503. At least IMPORT_LIMIT_BYTES.',
    )
    .meta({ example: '1073741824' }),
  LARGE_BODIES_AT_ONCE: integer(64, 1, 10_000)
    .describe('Bodies of more than 64 KiB, or of unknown length, that a process receives at once.')
    .meta({ example: '64' }),
  LARGE_BODIES_AT_ONCE_PER_CALLER: integer(8, 1, 10_000)
    .describe('The same for one user, or for one address without a sign-in.')
    .meta({ example: '8' }),
  HTTP_MAX_CONNECTIONS: integer(10_000, 1, 1_000_000)
    .describe('Open connections of a process; more are closed at once. The limit of open files must be higher.')
    .meta({ example: '10000' }),
  HTTP_MAX_CONNECTIONS_PER_ADDRESS: integer(1_000, 1, 1_000_000)
    .describe('The same for one address (IPv6: /64); does not apply when TRUSTED_PROXIES is set.')
    .meta({ example: '1000' }),
  HTTP_REQUEST_TIMEOUT_MS: integer(120_000, 100, 3_600_000)
    .describe('How long a client may take to send a whole request, in milliseconds.')
    .meta({ example: '120000' }),
  HTTP_HEADERS_TIMEOUT_MS: integer(15_000, 100, 600_000)
    .describe('How long a client may take to send the headers of a request, in milliseconds.')
    .meta({ example: '15000' }),
};
