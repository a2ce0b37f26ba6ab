import type { OpenAPIObject } from '@nestjs/swagger';
import { ERROR_CODES } from '../../errors/error-codes';
import { IDEMPOTENCY_KEY } from '../../idempotency/idempotency.interceptor';
import { hasVersion, listOperations, type Operation } from './operations';

type Responses = NonNullable<NonNullable<OpenAPIObject['components']>['responses']>;

const PROBLEM_CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** Error responses that follow from the form of a route. */
const RESPONSES = {
  '400': ['BadRequest', 'The request is malformed, or a value is not valid.'],
  '401': ['Unauthorized', 'The access token is missing, expired or of an ended session.'],
  '403': ['Forbidden', 'The user lacks a permission, or must first re-authenticate or verify the email address.'],
  '404': ['NotFound', 'The resource does not exist, or it is not yours.'],
  '406': ['NotAcceptable', 'The Accept header allows no media type of this route.'],
  '408': ['Timeout', 'The request did not arrive completely in time.'],
  '409': ['Conflict', 'The state of the resource does not allow this, or another request changes it at the same time.'],
  '412': [
    'PreconditionFailed',
    'The resource does not have the version in If-Match. Read it again and repeat the change.',
  ],
  '413': ['TooLarge', 'The body exceeds the limit of the route.'],
  '414': ['AddressTooLong', 'A parameter of the path is too long.'],
  '415': ['UnsupportedMediaType', 'The route does not accept the media type of the body.'],
  '422': [
    'Unprocessable',
    'A value refers to a resource that does not exist, or the Idempotency-Key was used for another request.',
  ],
  '429': ['TooManyRequests', 'Too many requests. Repeat the request after the seconds in Retry-After.'],
  '431': ['HeadersTooLarge', 'The URL and the headers together are too large.'],
  '503': ['Unavailable', 'The service is busy or restarting. Repeat the request after the seconds in Retry-After.'],
} as const;

type Status = keyof typeof RESPONSES;

const NOT_MODIFIED = { description: 'The resource has a version in If-None-Match. No body.' };

/** Further error responses of single operations. */
const EXTRA_STATUSES: Readonly<Record<string, readonly Status[]>> = {
  'post /v1/auth/login': ['401', '403'],
  'post /v1/auth/login/mfa': ['401', '403'],
  'post /v1/auth/refresh': ['401', '403'],
  'get /v1/audit/logs/{id}/proof': ['409'],
  'get /v1/audit/logs/export': ['409'],
  'get /v1/admin/audit/export': ['409'],
  'post /v1/auth/mfa/totp/confirm': ['409'],
  'post /v1/admin/users/{id}/reset-mfa': ['409'],
  'post /v1/tokens/{id}/refresh': ['409'],
  'post /v1/jobs/{id}/refresh': ['409'],
  'post /v1/webhooks/{id}/rotate-secret': ['409'],
  'patch /v1/saved-searches/{id}': ['422'],
  'post /v1/webhooks': ['422'],
  'patch /v1/webhooks/{id}': ['422'],
  'put /v1/ai/budget': ['422'],
};

/** The precondition headers of a read. @see RFC 9110 section 13.1 */
const PRECONDITIONS = [
  {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'ETags of the versions you have. If the resource has one of them, the answer is 304 without a body.',
    schema: { type: 'string', examples: ['"3"'] },
  },
  {
    name: 'If-Match',
    in: 'header',
    required: false,
    description:
      'ETags of the versions you want. If the resource has another version, the answer is 412. Checked first.',
    schema: { type: 'string', examples: ['"3"'] },
  },
] as const;

/** Adds the common parts of all operations: the problem schema, error responses, and the headers of requests. */
export function addCommonParts(document: OpenAPIObject): OpenAPIObject {
  const components = (document.components ??= {});
  components.schemas = { ...components.schemas, Problem: PROBLEM_SCHEMA };
  components.responses = { ...components.responses, ...buildSharedResponses() };
  for (const { path, method, operation } of listOperations(document)) {
    if (method === 'get' && !operation.responses['201'] && hasVersion(document, operation)) addPreconditions(operation);
    for (const status of listErrorStatuses(path, method, operation)) {
      operation.responses[status] ??= { $ref: `#/components/responses/${RESPONSES[status][0]}` };
    }
    // Without `security: []` generated clients would send their token to public operations.
    operation.security ??= [];
    addProblemResponses(operation);
  }
  addResponseHeaders(document);
  return document;
}

/** Documents the preconditions of a read. A GET that may create something has none: `Unconditional`. */
function addPreconditions(operation: Operation): void {
  operation.responses['304'] ??= NOT_MODIFIED;
  operation.parameters = [...(operation.parameters ?? []), ...PRECONDITIONS.map((header) => ({ ...header }))];
}

/** Adds the problem body to errors that a route describes itself. */
function addProblemResponses({ responses }: Operation): void {
  for (const [status, response] of Object.entries(responses)) {
    if (/^[45]/.test(status) && response && !('$ref' in response)) response.content ??= PROBLEM_CONTENT;
  }
}

function listErrorStatuses(path: string, method: string, operation: Operation): Status[] {
  const statuses: Status[] = ['400', '408', '413', '429', '431', '503', ...(EXTRA_STATUSES[`${method} ${path}`] ?? [])];
  if (operation.security?.length) statuses.push('401', '403');
  if (path.startsWith('/v1/')) statuses.push('406');
  if (path.includes('{')) statuses.push('404', '414');
  // A body is also parsed where none is expected, except by a GET.
  if (method !== 'get') statuses.push('415');
  if (method === 'put' || method === 'patch') statuses.push('409');
  if (hasHeader(operation, IDEMPOTENCY_KEY)) statuses.push('409', '422');
  if (hasHeader(operation, 'If-Match')) statuses.push('412');
  return statuses;
}

function hasHeader({ parameters = [] }: Operation, header: string): boolean {
  return (parameters as { name?: string }[]).some(({ name }) => name === header);
}

function buildSharedResponses(): Responses {
  const responses = Object.values(RESPONSES).map(([name, description]) => [
    name,
    { description, content: PROBLEM_CONTENT },
  ]);
  return Object.fromEntries(responses) as Responses;
}

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'A problem document (RFC 9457).',
  required: ['type', 'title', 'status', 'instance', 'code', 'requestId'],
  properties: {
    type: {
      type: 'string',
      description: 'Link to the explanation of the code.',
      example: '/docs/errors#validation.failed',
    },
    title: {
      type: 'string',
      description: 'Short text of the code, always the same.',
      example: ERROR_CODES['validation.failed'].title,
    },
    status: { type: 'integer', description: 'HTTP status.', example: 400 },
    detail: {
      type: 'string',
      description: 'What is wrong with this request and what to do, for people.',
      example: 'limit must be a whole number from 1 to 100.',
    },
    instance: { type: 'string', description: 'Path of the request.', example: '/v1/jobs' },
    code: {
      type: 'string',
      enum: Object.keys(ERROR_CODES),
      description: 'Stable error code, for programs.',
      example: 'validation.failed',
    },
    requestId: {
      type: 'string',
      description: 'Id of the request, for questions to the operator.',
      example: '5b0f2b0e-5c3a-4d2e-9d5e-2f8f0a6f4d11',
    },
    errors: {
      type: 'array',
      description: 'Errors of single values.',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901) of the value.', example: '/limit' },
          code: { type: 'string', description: 'The broken rule.', example: 'min' },
          message: {
            type: 'string',
            description: 'What is wrong with the value.',
            example: 'limit must be a whole number from 1 to 100.',
          },
        },
      },
    },
    errorsOmitted: {
      type: 'integer',
      description: 'Number of errors left out to keep the response short. Absent when all are listed.',
      example: 3,
    },
  },
};

type ResponseObject = Exclude<NonNullable<Operation['responses'][string]>, { $ref: string }>;

/** The response headers, with a description and an example. */
const HEADERS = {
  ETag: ['Version of the resource in double quotes, for If-Match and If-None-Match.', '"3"'],
  Location: ['Path of the created resource, or of the resource that shows the progress.', '/v1/jobs/4711'],
  RateLimit: ['Requests you have left: `r` requests in the next `t` seconds.', '"general";r=299;t=60'],
  'RateLimit-Policy': [
    'Your limit: `q` requests in `w` seconds. Absent for requests that are not counted.',
    '"general";q=300;w=60',
  ],
  'Retry-After': ['Seconds to wait before you repeat the request.', '5'],
  'Idempotent-Replayed': ['`true` on a stored response to an earlier request with the same Idempotency-Key.', 'true'],
  'X-Request-Id': ['Id of the request, for questions to the operator.', '5b0f2b0e-5c3a-4d2e-9d5e-2f8f0a6f4d11'],
} as const;

type HeaderName = keyof typeof HEADERS;

/** Headers of every response. */
const COMMON: readonly HeaderName[] = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy'];

/** Statuses with Retry-After. */
const TEMPORARY: ReadonlySet<string> = new Set(['429', '503']);

/** Adds headers to the responses by their kind: a resource with a version, a created one, an error. */
function addResponseHeaders(document: OpenAPIObject): void {
  const components = (document.components ??= {});
  components.headers = { ...components.headers, ...buildHeaderComponents() };
  for (const response of Object.values(components.responses ?? {})) {
    if (!('$ref' in response)) addHeaders(response, COMMON);
  }
  for (const name of ['TooManyRequests', 'Unavailable']) {
    const response = components.responses?.[name];
    if (response && !('$ref' in response)) addHeaders(response, ['Retry-After']);
  }
  for (const { path, operation } of listOperations(document)) {
    for (const [status, response] of Object.entries(operation.responses)) {
      if (response && !('$ref' in response)) addHeaders(response, listHeaderNames(document, path, operation, status));
    }
  }
}

function listHeaderNames(document: OpenAPIObject, path: string, operation: Operation, status: string): HeaderName[] {
  const names: HeaderName[] = path.startsWith('/v1/') ? [...COMMON] : ['X-Request-Id'];
  if (TEMPORARY.has(status) && path.startsWith('/v1/')) names.push('Retry-After');
  if (status === '304' || (status.startsWith('2') && hasVersion(document, operation, status))) names.push('ETag');
  if (status === '201' || (status === '202' && hasBody(operation, status))) names.push('Location');
  const parameters = (operation.parameters ?? []) as { name?: string }[];
  const takesKey = parameters.some(({ name }) => name === 'Idempotency-Key');
  if (takesKey && status.startsWith('2')) names.push('Idempotent-Replayed');
  return names;
}

function hasBody(operation: Operation, status: string): boolean {
  const response = operation.responses[status];
  return response !== undefined && 'content' in response && response.content !== undefined;
}

function addHeaders(response: ResponseObject, names: readonly HeaderName[]): void {
  const references = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
  response.headers = { ...response.headers, ...Object.fromEntries(references) };
}

function buildHeaderComponents(): NonNullable<NonNullable<OpenAPIObject['components']>['headers']> {
  const described = Object.entries(HEADERS).map(([name, [description, example]]) => [
    name,
    { description, schema: { type: 'string', examples: [example] } },
  ]);
  return Object.fromEntries(described) as NonNullable<NonNullable<OpenAPIObject['components']>['headers']>;
}
