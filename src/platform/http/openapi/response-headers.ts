import type { OpenAPIObject } from '@nestjs/swagger';
import { hasVersion, listOperations, type Operation } from './operations';

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
export function addResponseHeaders(document: OpenAPIObject): void {
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
