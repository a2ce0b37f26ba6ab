import type { OpenAPIObject } from '@nestjs/swagger';
import { hasVersion, listOperations, type Operation } from './operations';

type ResponseObject = Exclude<NonNullable<Operation['responses'][string]>, { $ref: string }>;

/** The headers of answers; each is described once and referred to. */
const HEADERS = {
  ETag: ['The version of the resource in double quotes; send it as If-Match or If-None-Match.', '"3"'],
  Location: ['Path of the resource; of work that goes on, where to follow it.', '/v1/jobs/4711'],
  RateLimit: [
    'What is left of your requests and when they renew: `r` requests for `t` seconds.',
    '"general";r=299;t=60',
  ],
  'RateLimit-Policy': [
    'Your limit: `q` requests in `w` seconds. Absent where nothing is counted.',
    '"general";q=300;w=60',
  ],
  'Retry-After': ['Seconds to wait before the request is sent again.', '5'],
  'Idempotent-Replayed': ['`true` on the stored answer to an Idempotency-Key that came before.', 'true'],
  'X-Request-Id': ['Id of the request; quote it when you ask for help.', '5b0f2b0e-5c3a-4d2e-9d5e-2f8f0a6f4d11'],
} as const;

type HeaderName = keyof typeof HEADERS;

/** On every answer. */
const COMMON: readonly HeaderName[] = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy'];

/** Answers that say when to come back. */
const TEMPORARY: ReadonlySet<string> = new Set(['429', '503']);

/** Adds the headers that answers have by what they are: of a resource with a version, of one that was created, of an error. */
export function addResponseHeaders(document: OpenAPIObject): void {
  const components = (document.components ??= {});
  components.headers = { ...components.headers, ...buildHeaderComponents() };
  for (const answer of Object.values(components.responses ?? {})) {
    if (!('$ref' in answer)) addHeaders(answer, COMMON);
  }
  for (const name of ['TooManyRequests', 'Unavailable']) {
    const answer = components.responses?.[name];
    if (answer && !('$ref' in answer)) addHeaders(answer, ['Retry-After']);
  }
  for (const { path, operation } of listOperations(document)) {
    for (const [status, answer] of Object.entries(operation.responses)) {
      if (answer && !('$ref' in answer)) addHeaders(answer, listHeaderNames(document, path, operation, status));
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
  const answer = operation.responses[status];
  return answer !== undefined && 'content' in answer && answer.content !== undefined;
}

function addHeaders(answer: ResponseObject, names: readonly HeaderName[]): void {
  const references = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
  answer.headers = { ...answer.headers, ...Object.fromEntries(references) };
}

function buildHeaderComponents(): NonNullable<NonNullable<OpenAPIObject['components']>['headers']> {
  const described = Object.entries(HEADERS).map(([name, [description, example]]) => [
    name,
    { description, schema: { type: 'string', examples: [example] } },
  ]);
  return Object.fromEntries(described) as NonNullable<NonNullable<OpenAPIObject['components']>['headers']>;
}
