import type { OpenAPIObject } from '@nestjs/swagger';
import { ERROR_CODES } from '../../errors/error-codes';
import { addResponseHeaders } from './response-headers';
import { hasVersion, listOperations, type Operation } from './operations';
import { isRepeatable } from '../../idempotency/idempotency.interceptor';

type Responses = NonNullable<NonNullable<OpenAPIObject['components']>['responses']>;

const PROBLEM_CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** The answers that follow from what a route is, not from what it does. */
const RESPONSES = {
  '400': ['BadRequest', 'The request cannot be read, or a value is not valid.'],
  '401': ['Unauthorized', 'Nobody is signed in, or the access token is not valid any more.'],
  '403': ['Forbidden', 'The signed-in user may not do this.'],
  '404': ['NotFound', "There is no such resource among the user's own."],
  '406': ['NotAcceptable', 'The Accept header takes no media type of this route.'],
  '408': ['Timeout', 'The request did not arrive completely in time.'],
  '409': ['Conflict', 'The state of the resource does not allow this, or the request came twice at once.'],
  '412': ['PreconditionFailed', 'The resource has changed since the version in If-Match.'],
  '413': ['TooLarge', 'The body is too large.'],
  '414': ['AddressTooLong', 'A parameter of the path is longer than any id.'],
  '415': ['UnsupportedMediaType', 'The media type of the body is not supported.'],
  '422': [
    'Unprocessable',
    'A value refers to something that does not exist, or the Idempotency-Key was used otherwise.',
  ],
  '429': ['TooManyRequests', 'Too many requests; Retry-After tells when to come back.'],
  '431': ['HeadersTooLarge', 'The address and the headers together are too large.'],
  '503': ['Unavailable', 'The service is busy or restarting; Retry-After tells when to come back.'],
} as const;

type Status = keyof typeof RESPONSES;

const NOT_MODIFIED = { description: 'The resource still has the version in If-None-Match; no body.' };

/** Error answers of single operations, which their form does not show. */
const EXTRA_STATUSES: Readonly<Record<string, readonly Status[]>> = {
  'post /v1/auth/login': ['401', '403'],
  'post /v1/auth/login/mfa': ['401', '403'],
  'post /v1/auth/refresh': ['401', '403'],
  'post /v1/auth/mfa/totp/confirm': ['409'],
  'post /v1/admin/users/{id}/reset-mfa': ['409'],
  'post /v1/tokens/{id}/refresh': ['409'],
  'post /v1/webhooks/{id}/rotate-secret': ['409'],
  'patch /v1/saved-searches/{id}': ['422'],
  'post /v1/webhooks': ['422'],
  'patch /v1/webhooks/{id}': ['422'],
  'put /v1/ai/budget': ['422'],
};

/** The header that makes repeating a POST safe; documented here, since no handler reads it. */
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Makes repeating the request safe for 24 hours: the same key with the same body gives the stored answer, marked `Idempotent-Replayed: true`.',
  schema: { type: 'string', minLength: 1, maxLength: 255, examples: ['a3f1c9e2-create-job'] },
} as const;

/** The preconditions of a read. @see RFC 9110 section 13.1 */
const PRECONDITIONS = [
  {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'ETags you have: 304 without a body when the resource still has one of them.',
    schema: { type: 'string', examples: ['"3"'] },
  },
  {
    name: 'If-Match',
    in: 'header',
    required: false,
    description:
      'ETag, or ETags, of the version you want to read; 412 when the resource has another by now. It is tried first.',
    schema: { type: 'string', examples: ['"3"'] },
  },
] as const;

/** Adds what every operation has by its form: the problem schema, error answers, and the Idempotency-Key of POSTs. */
export function addCommonParts(document: OpenAPIObject): OpenAPIObject {
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Problem: PROBLEM_SCHEMA };
  components.responses = { ...components.responses, ...buildSharedResponses() };
  for (const { path, method, operation } of listOperations(document)) {
    if (acceptsIdempotencyKey(path, method))
      operation.parameters = [...(operation.parameters ?? []), { ...IDEMPOTENCY_KEY }];
    if (method === 'get' && !operation.responses['201'] && hasVersion(document, operation)) addPreconditions(operation);
    for (const status of listErrorStatuses(path, method, operation)) {
      operation.responses[status] ??= { $ref: `#/components/responses/${RESPONSES[status][0]}` };
    }
    // A public operation says so itself; without this a generated client sends its token there too, or a linter warns.
    operation.security ??= [];
    addProblemResponses(operation);
  }
  addResponseHeaders(document);
  return document;
}

/** Lets a reader name the versions they have, or want. A GET that may create something has none: `Unconditional`. */
function addPreconditions(operation: Operation): void {
  operation.responses['304'] ??= NOT_MODIFIED;
  operation.parameters = [...(operation.parameters ?? []), ...PRECONDITIONS.map((header) => ({ ...header }))];
}

/** Gives errors that a route describes itself the body that they have. */
function addProblemResponses({ responses }: Operation): void {
  for (const [status, answer] of Object.entries(responses)) {
    if (/^[45]/.test(status) && answer && !('$ref' in answer)) answer.content ??= PROBLEM_CONTENT;
  }
}

function listErrorStatuses(path: string, method: string, operation: Operation): Status[] {
  const statuses: Status[] = ['400', '408', '413', '429', '431', '503', ...(EXTRA_STATUSES[`${method} ${path}`] ?? [])];
  if (operation.security?.length) statuses.push('401', '403');
  if (path.startsWith('/v1/')) statuses.push('406');
  if (path.includes('{')) statuses.push('404', '414');
  // A body is read, and refused, also where none is expected; of that of a GET only the declared size is looked at.
  if (method !== 'get') statuses.push('415');
  if (method === 'put' || method === 'patch') statuses.push('409');
  if (acceptsIdempotencyKey(path, method)) statuses.push('409', '422');
  const parameters = (operation.parameters ?? []) as { name?: string }[];
  if (parameters.some(({ name }) => name === 'If-Match')) statuses.push('412');
  return statuses;
}

function acceptsIdempotencyKey(path: string, method: string): boolean {
  return method === 'post' && isRepeatable(path.replace(/\{(\w+)\}/g, ':$1'));
}

function buildSharedResponses(): Responses {
  const answers = Object.values(RESPONSES).map(([name, description]) => [
    name,
    { description, content: PROBLEM_CONTENT },
  ]);
  return Object.fromEntries(answers) as Responses;
}

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'An error, after RFC 9457.',
  required: ['type', 'title', 'status', 'instance', 'code', 'requestId'],
  properties: {
    type: { type: 'string', description: 'Where the code is explained.', example: '/docs/errors#validation.failed' },
    title: { type: 'string', example: ERROR_CODES['validation.failed'].title },
    status: { type: 'integer', example: 400 },
    detail: { type: 'string', example: 'limit must not be less than 1' },
    instance: { type: 'string', description: "The request's path.", example: '/v1/jobs' },
    code: { type: 'string', enum: Object.keys(ERROR_CODES), example: 'validation.failed' },
    requestId: { type: 'string', example: '5b0f2b0e-5c3a-4d2e-9d5e-2f8f0a6f4d11' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901) of the value.', example: '/limit' },
          code: { type: 'string', example: 'min' },
          message: { type: 'string', example: 'limit must not be less than 1' },
        },
      },
    },
    errorsOmitted: {
      type: 'integer',
      description: 'Errors left out to keep the answer short; absent when all are listed.',
      example: 3,
    },
  },
};
