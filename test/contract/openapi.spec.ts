import { readFileSync } from 'node:fs';
import { AppModule } from '../../src/app.module';
import { writeOpenApiContract } from '../../src/platform/http/openapi/document';

interface Answer {
  readonly description?: string;
  readonly $ref?: string;
  readonly content?: Record<string, unknown>;
  readonly headers?: Record<string, unknown>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Record<string, unknown>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema; readonly example?: object }> };
  readonly responses: Record<string, Answer>;
}

interface Schema {
  readonly description?: string;
  readonly $ref?: string;
  readonly allOf?: unknown;
  readonly type?: string | string[];
  readonly pattern?: string;
  readonly example?: unknown;
  readonly properties?: Record<string, Schema>;
}

interface Contract {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

describe('the OpenAPI contract', () => {
  let text: string;
  let operations: [string, Operation][];
  let schemas: [string, Schema][];

  beforeAll(async () => {
    text = await writeOpenApiContract(AppModule);
    const { paths, components } = JSON.parse(text) as Contract;
    operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    );
    schemas = Object.entries(components.schemas);
  });

  function failing(isWrong: (operation: Operation, name: string) => boolean): string[] {
    return operations.filter(([name, operation]) => isWrong(operation, name)).map(([name]) => name);
  }

  it('equals test/contract/openapi.json (npm run openapi rewrites it)', () => {
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync('test/contract/openapi.json', 'utf8')));
  });

  it('has a unique operationId of a verb and a noun for each operation', () => {
    const ids = operations.map(([, { operationId = '' }]) => operationId);

    expect(ids.filter((id) => !/^[a-z]+(?:[A-Z][a-z]+)*$/.test(id))).toEqual([]);
    expect(ids).toHaveLength(new Set(ids).size);
  });

  it('has a short summary, a description and a tag for every operation', () => {
    expect(failing(({ summary = '' }) => summary.length === 0 || summary.length > 60)).toEqual([]);
    expect(failing(({ description = '' }) => description.length === 0)).toEqual([]);
    expect(failing(({ tags = [] }) => tags.length !== 1)).toEqual([]);
  });

  it('has one success and the 4xx responses of every operation', () => {
    const statuses = ({ responses }: Operation) => Object.keys(responses);

    expect(failing((operation) => !statuses(operation).some((status) => status.startsWith('2')))).toEqual([]);
    expect(
      failing((operation, name) => /^(POST|PUT|PATCH) .*\}/.test(name) && !statuses(operation).includes('404')),
    ).toEqual([]);
    expect(failing((operation) => !statuses(operation).includes('429'))).toEqual([]);
  });

  it('mentions only existing routes in its descriptions', () => {
    const named = text.match(/\b(?:GET|POST|PUT|PATCH|DELETE) \/v1\/[\w/{}-]+(?![\w/{}:-])/g) ?? [];
    const routes = new Set(operations.map(([name]) => name));

    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !routes.has(name))).toEqual([]);
  });

  it('describes every field', () => {
    const bare = schemas.flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, { description, $ref, allOf }]) => !description && !$ref && !allOf)
        .map(([field]) => `${name}.${field}`),
    );

    expect(bare.filter((field) => !field.startsWith('Problem.'))).toEqual([]);
  });

  it('has no default in request bodies, so that generated clients send only the given fields', () => {
    const withDefaults = operations.flatMap(([name, { requestBody }]) =>
      Object.values(requestBody?.content ?? {})
        .flatMap(({ schema }) => defaultsIn(schema, ''))
        .map((pointer) => `${name} ${pointer}`),
    );

    expect(operations.filter(([, { requestBody }]) => requestBody).length).toBeGreaterThan(20);
    expect(withDefaults).toEqual([]);
    expect(schemas.flatMap(([name, schema]) => defaultsIn(schema, name))).toEqual([]);
  });

  /** Returns the pointers of all `default` below a schema, following references. */
  function defaultsIn(value: unknown, pointer: string, seen: readonly unknown[] = []): string[] {
    if (typeof value !== 'object' || value === null || seen.includes(value)) return [];
    const found = 'default' in value && !pointer.endsWith('/properties') ? [pointer] : [];
    const { $ref } = value as Schema;
    const target = $ref === undefined ? undefined : schemas.find(([name]) => name === $ref.split('/').at(-1))?.[1];
    return [
      ...found,
      ...defaultsIn(target, `${pointer}->${$ref ?? ''}`, [...seen, value]),
      ...Object.entries(value).flatMap(([key, inner]) => defaultsIn(inner, `${pointer}/${key}`, [...seen, value])),
    ];
  }

  it('has ids that are 64-bit integers from 1, in paths, queries and bodies', () => {
    const isId = (name: string) => /^(id|\w+Id)$/.test(name);
    const inAddresses = operations.flatMap(([operation, { parameters = [] }]) =>
      parameters
        .filter(({ schema }) => schema.type === 'number' || schema.type === 'integer')
        .map((found) => ({ ...found, operation })),
    );
    const ids = inAddresses.filter((parameter) => parameter.in === 'path' || isId(parameter.name));
    const fields = schemas.flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([field, { type }]) => isId(field) && [type].flat().includes('integer'))
        .map(([field, schema]) => [`${name}.${field}`, schema]),
    );

    expect(ids.length).toBeGreaterThan(30);
    for (const { operation, name, schema } of ids) {
      expect({ operation, name, schema }).toMatchObject({ schema: { type: 'integer', format: 'int64', minimum: 1 } });
    }
    for (const field of fields)
      expect(field).toEqual([field[0], expect.objectContaining({ format: 'int64', minimum: 1 })]);
  });

  it('declares for every operation whether it needs a token', () => {
    expect(failing(({ security }) => security === undefined)).toEqual([]);
    expect(failing(({ security }, name) => / \/v1\/jobs/.test(name) && security?.length !== 1)).toEqual([]);
    expect(failing(({ security }, name) => name === 'POST /v1/auth/login' && security?.length !== 0)).toEqual([]);
  });

  it('has no example for optional filters, headers and ids of rows, so that Swagger UI finds rows', () => {
    const filled = operations.flatMap(([name, { parameters = [] }]) =>
      parameters
        .filter(({ required, schema }) => (!required || schema['format'] === 'int64') && 'example' in schema)
        .map((parameter) => `${name} ${parameter.name}`),
    );
    const example = (name: string) =>
      operations.find(([found]) => found === name)?.[1].requestBody?.content['application/json']?.example;

    expect(filled).toEqual([]);
    expect(example('POST /v1/jobs/import')).toEqual([example('POST /v1/jobs')]);
    expect(example('POST /v1/messages')).toEqual({ senderType: 'client', content: 'When can you start?' });
    for (const name of ['POST /v1/jobs', 'POST /v1/saved-searches', 'POST /v1/ai/generations']) {
      expect([name, Object.keys(example(name) ?? {}).filter((field) => field.endsWith('Id'))]).toEqual([name, []]);
    }
  });

  it('has a problem document for every error and a text for every stream or file', () => {
    const bodies = operations.flatMap(([name, { responses }]) =>
      Object.entries(responses).map(([status, answer]) => ({
        name,
        status,
        answer,
        types: Object.keys(answer.content ?? {}),
      })),
    );
    const errors = bodies.filter(({ status, answer }) => /^[45]/.test(status) && !answer.$ref);

    expect(errors.filter(({ types }) => types[0] !== 'application/problem+json').map(({ name }) => name)).toEqual([
      'GET /health/ready',
    ]);
    expect(
      bodies.filter(({ types }) => types.includes('text/event-stream')).map(({ name, status }) => `${name} ${status}`),
    ).toEqual([
      'POST /v1/ai/generations 200',
      'GET /v1/ai/generations/{id}/stream 200',
      'GET /v1/admin/audit/verify/{id}/events 200',
    ]);
    const texts = operations.flatMap(([, { requestBody }]) =>
      Object.entries(requestBody?.content ?? {})
        .filter(([type]) => /csv|ndjson/.test(type))
        .map(([, { schema }]) => schema),
    );
    expect(texts).toEqual([{ type: 'string' }, { type: 'string' }]);
  });

  it('documents an Idempotency-Key only where it is supported', () => {
    const takesKey = failing(({ parameters = [] }) => parameters.some(({ name }) => name === 'Idempotency-Key'));
    const ignored = [
      '/v1/webhooks',
      '/v1/webhooks/{id}/rotate-secret',
      '/v1/tokens/upwork/authorize',
      '/v1/tokens/{id}/refresh',
    ];

    expect(takesKey).toEqual(expect.arrayContaining(['POST /v1/jobs', 'POST /v1/tokens', 'POST /v1/ai/generations']));
    expect(takesKey.filter((name) => ignored.includes(name.slice(5)) || name.includes('/auth/'))).toEqual([]);
  });

  it('documents response headers and the merge patch', () => {
    const headers = (name: string, status: string) =>
      Object.keys(operations.find(([found]) => found === name)?.[1].responses[status]?.headers ?? {});

    expect(headers('POST /v1/jobs', '201')).toEqual(
      expect.arrayContaining(['ETag', 'Location', 'RateLimit', 'Idempotent-Replayed']),
    );
    expect(headers('POST /v1/jobs/sync', '202')).toContain('Location');
    expect(headers('GET /v1/jobs/{id}', '304')).toContain('ETag');
    expect(
      failing(
        ({ requestBody }, name) => name.startsWith('PATCH') && !requestBody?.content['application/merge-patch+json'],
      ),
    ).toEqual([]);
  });

  it('documents the preconditions and their responses for each read of a resource with a version', () => {
    const named = (name: string) =>
      operations.find(([found]) => found === name)?.[1].parameters?.map((parameter) => parameter.name) ?? [];
    const versioned = failing(({ responses }, name) => name.startsWith('GET') && '304' in responses);

    expect(versioned).toEqual(expect.arrayContaining(['GET /v1/jobs/{id}', 'GET /v1/profile', 'GET /v1/users/me']));
    expect(versioned).not.toContain('GET /v1/tokens/upwork/callback');
    expect(
      versioned.filter((name) => !['If-Match', 'If-None-Match'].every((header) => named(name).includes(header))),
    ).toEqual([]);
    expect(
      failing(
        ({ responses }, name) => versioned.includes(name) && !(responses['412'] && responses['200']?.headers?.['ETag']),
      ),
    ).toEqual([]);
    const changes = operations.filter(([name]) => versioned.includes(name.replace(/^(PUT|PATCH|DELETE) /, 'GET ')));
    expect(changes.filter(([name]) => !named(name).includes('If-Match')).map(([name]) => name)).toEqual([]);
    expect(failing(({ responses }, name) => '412' in responses !== named(name).includes('If-Match'))).toEqual([]);
  });

  it('has a pattern for every amount, in bodies and responses, that the example matches', () => {
    const amounts = schemas.flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(
          ([field, { example }]) =>
            (typeof example === 'string' && /^-?\d+\.\d+$/.test(example)) || /Usd|Amount$/.test(field),
        )
        .map(([field, { pattern, example }]) => ({ field: `${name}.${field}`, pattern, example: String(example) })),
    );

    expect(amounts.length).toBeGreaterThan(30);
    expect(
      amounts.filter(({ pattern, example }) => pattern === undefined || !new RegExp(pattern).test(example)),
    ).toEqual([]);
  });
});
