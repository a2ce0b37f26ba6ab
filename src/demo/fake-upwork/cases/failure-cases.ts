import { buildJsonCase, type FakeCase } from './fake-case';

const LOCATIONS = [{ line: 2, column: 3 }];

/** Builds HTTP 200 with an error and no data. */
function buildRefusal(message: string, classification: string): FakeCase {
  const error = { message, locations: LOCATIONS, extensions: { classification } };
  return buildJsonCase('graphql', 200, { errors: [error], data: null });
}

const FAILED_SEARCH = {
  errors: [
    {
      message: '500: Exception occurred',
      path: ['marketplaceJobPostingsSearch'],
      locations: LOCATIONS,
      extensions: { classification: 'DataFetchingException' },
    },
  ],
  data: { marketplaceJobPostingsSearch: null },
};

const buildToken = (last: string) => `oauth2v2_${'0'.repeat(31)}${last}`;

/** Failures of the GraphQL endpoint. The texts vary; the status, the classification and single words do not. */
const GRAPHQL_FAILURES = {
  'dead-access-token': buildJsonCase('graphql', 401, { message: 'Authentication failed' }),
  'token-refused-inside-an-answer': buildJsonCase('graphql', 200, {
    errors: [{ message: 'Invalid token provided' }],
    data: null,
  }),
  'unknown-document': buildRefusal(
    "Validation error (UnknownArgument@[roomStories]) : Unknown field argument 'pagination'",
    'ValidationError',
  ),
  'permission-missing': buildRefusal(
    "The client or authentication token doesn't have enough oauth2 permissions/scopes to access: " +
      '[VendorProposalsConnection.edges]',
    'ExecutionAborted',
  ),
  'page-too-large': buildRefusal('VJCA-6 Input parameter provided has incorrect value', 'DataFetchingException'),
  'failure-as-an-answer': buildJsonCase('graphql', 200, FAILED_SEARCH),
  'timeout-as-an-answer': buildRefusal('Transform timeout', 'DataFetchingException'),
  'too-many-calls': { endpoint: 'graphql', status: 429, headers: {}, body: null },
  'too-many-calls-with-retry-after': {
    endpoint: 'graphql',
    status: 429,
    headers: { 'retry-after': '30' },
    body: null,
  },
  proxy: {
    endpoint: 'graphql',
    status: 403,
    headers: { 'content-type': 'text/html; charset=UTF-8' },
    body: '<!DOCTYPE html><title>Just a moment...</title>',
  },
  outage: {
    endpoint: 'graphql',
    status: 503,
    headers: { 'content-type': 'text/html' },
    body: '<html><body>Service Unavailable</body></html>',
  },
} satisfies Record<string, FakeCase>;

/** Answers of the token endpoint. None names its scopes. */
const TOKEN_ANSWERS = {
  'token-pair': buildJsonCase('token', 200, {
    access_token: buildToken('a'),
    refresh_token: buildToken('b'),
    token_type: 'Bearer',
    expires_in: 86_400,
  }),
  'access-token-alone': buildJsonCase('token', 200, {
    access_token: buildToken('c'),
    token_type: 'Bearer',
    expires_in: 86_400,
  }),
  'void-refresh-token': buildJsonCase('token', 400, {
    error: 'invalid_grant',
    error_description: 'Invalid refresh token',
  }),
  'application-refused': buildJsonCase('token', 401, { error: 'invalid_client' }),
};

/** Failures, and answers of the token endpoint, that are sent as they are. */
export const FAILURE_CASES = { ...GRAPHQL_FAILURES, ...TOKEN_ANSWERS };
