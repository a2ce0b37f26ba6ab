import { buildExample, type Operation, type Parameter, fillPath, type Schema } from './openapi-operations';

/** A request that is invalid in one way. */
export interface BadRequest {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  /** The pointer that a validation error must contain. */
  readonly pointer?: string;
}

/** More than any body may have: three mebibytes. */
const HUGE_TEXT = Buffer.alloc(3 * 1024 * 1024, 'x');

/** Builds a JSON object with the huge text in a field, without encoding it again. */
const buildHugeBody = (field: string): Uint8Array =>
  Buffer.concat([Buffer.from(`{${JSON.stringify(field)}:"`), HUGE_TEXT, Buffer.from('"}')]);

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** Builds a request for every kind of bad input that the operation accepts. */
export function buildBadRequests(operation: Operation): BadRequest[] {
  const ids = operation.parameters.filter((parameter) => parameter.in === 'path');
  const queries = operation.parameters.filter((parameter) => parameter.in === 'query');
  return [
    ...ids.flatMap((parameter) => buildBadIds(operation, parameter)),
    ...buildBadQueries(operation, queries),
    ...(operation.body ? [...buildBadBodies(operation), ...buildBadFields(operation, operation.body)] : []),
  ];
}

/** Builds a path that would be found, so that only the mistake causes an error. */
function buildValidPath(operation: Operation): string {
  return fillPath(operation, {});
}

function buildBadIds(operation: Operation, parameter: Parameter): BadRequest[] {
  const numeric = parameter.schema?.type === 'integer' || parameter.schema?.type === 'number';
  const kinds = ['%zz', '%00', '%ED%A0%80', '%F0%28', ...(numeric ? NOT_IDS : [])];
  return kinds.map((text) => ({
    kind: `path ${parameter.name}=${text}`,
    method: operation.method,
    path: operation.path.replace(`{${parameter.name}}`, text).replace(/\{\w+\}/g, '1'),
    ...(operation.body && { body: JSON.stringify(buildExample(operation.body)) }),
  }));
}

const NOT_IDS = [
  'abc',
  '-1',
  '0',
  '1.5',
  '1e3',
  '0x1',
  '9007199254740993',
  '99999999999999999999',
  '1%20OR%201=1',
  'null',
];

function buildBadQueries(operation: Operation, parameters: readonly Parameter[]): BadRequest[] {
  const request = (kind: string, query: string, pointer?: string): BadRequest => ({
    kind: `query ${kind}`,
    method: operation.method,
    path: `${buildValidPath(operation)}?${query}`,
    ...(operation.body && { body: JSON.stringify(buildExample(operation.body)) }),
    ...(pointer !== undefined && { pointer }),
  });
  const own = parameters.flatMap(({ name, schema }) =>
    listBadQueryValues(schema).map((value) => request(`${name}=${value.slice(0, 20)}`, `${name}=${value}`, `/${name}`)),
  );
  const isList = parameters.some(({ name }) => name === 'limit');
  return [
    request('%zz', 'a=%zz'),
    ...(operation.method === 'GET' && parameters.length > 0 ? [request('unknown', 'nonsense=1', '/nonsense')] : []),
    ...(isList ? [request('limit twice', 'limit=1&limit=2', '/limit'), request('__proto__', '__proto__=1')] : []),
    ...own,
  ];
}

function listBadQueryValues(schema: Schema | undefined): string[] {
  const broken = ['%00', '%ED%A0%80'];
  if (schema?.enum) return [...broken, 'nonsense'];
  if (schema?.type === 'integer' || schema?.type === 'number') {
    const zero = schema.minimum === 0 ? [] : ['0'];
    const fraction = schema.type === 'integer' ? ['1.5'] : [];
    return [...broken, '-1', ...zero, '1e9', 'NaN', 'Infinity', 'abc', ...fraction, '9007199254740993', '%20'];
  }
  if (schema?.type === 'boolean') return [...broken, '1', 'yes', 'TRUE', 'null'];
  if (schema?.type === 'array') return [...broken, '', ','];
  return [...broken, 'x'.repeat(9_000)];
}

function buildBadBodies(operation: Operation): BadRequest[] {
  const example = JSON.stringify(buildExample(operation.body));
  const raw = (kind: string, body: string | Uint8Array, headers?: Record<string, string>): BadRequest => ({
    kind: `body ${kind}`,
    method: operation.method,
    path: buildValidPath(operation),
    body,
    ...(headers && { headers }),
  });
  const [field = 'title'] = Object.keys(operation.body?.properties ?? {});
  return [
    raw('broken', '{"a":'),
    raw('not JSON', 'hello'),
    raw('trailing text', `${example} x`),
    ...(operation.body?.type === 'array' ? [] : [raw('an array', '[1]')]),
    raw('a string', '"text"'),
    raw('a number', '1'),
    raw('null', 'null'),
    raw('NaN', `{"${field}":NaN}`),
    raw('1e400', `{"${field}":1e400}`),
    raw('beyond 2^53', `{"${field}":9007199254740993}`),
    raw('deep', deep(200)),
    raw('very deep', deep(20_000)),
    raw('a duplicate key', `{"${field}":"a","${field}":"b"}`),
    raw('an unknown field', JSON.stringify({ ...buildExample(operation.body), nonsense: 1 })),
    raw('__proto__', '{"__proto__":{"role":"admin"}}'),
    raw('constructor', '{"constructor":{"prototype":{"role":"admin"}}}'),
    raw('a forged tenant', JSON.stringify({ ...buildExample(operation.body), userId: 1 })),
    raw('a forged id', JSON.stringify({ ...buildExample(operation.body), id: 1 })),
    raw('NUL in a value', `{"${field}":"a\\u0000b"}`),
    raw('NUL in a key', '{"a\\u0000b":1}'),
    raw('a lone surrogate', `{"${field}":"a\\ud800b"}`),
    raw('invalid UTF-8', new Uint8Array([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d])),
    raw('huge', buildHugeBody(field)),
    raw('XML', '<a/>', { 'content-type': 'application/xml' }),
    raw('a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }),
    raw('text', example, { 'content-type': 'text/plain' }),
    raw('no such media type', example, { 'content-type': 'nonsense' }),
    raw('a wrong length', example, { 'content-encoding': 'gzip' }),
  ];
}

function buildBadFields(operation: Operation, schema: Schema): BadRequest[] {
  const example = buildExample(schema);
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    listBadValues(property).map(([kind, value]) => ({
      kind: `field ${name}: ${kind}`,
      method: operation.method,
      path: buildValidPath(operation),
      body: JSON.stringify({ ...example, [name]: value }),
      pointer: `/${name}`,
    })),
  );
}

function listBadValues(schema: Schema): [string, unknown][] {
  const types = [schema.type].flat();
  const object: [string, unknown][] = [['an object', { a: { b: 1 } }]];
  const list: [string, unknown][] = [['a list', [['a']]]];
  if (types.includes('string')) {
    return [
      ...object,
      ...list,
      ['a number', 12],
      ['a boolean', true],
      ...(schema.enum ? [['no member', 'nonsense'] as [string, unknown]] : []),
      ...(schema.maxLength ? [['too long', 'x'.repeat(schema.maxLength + 1)] as [string, unknown]] : []),
    ];
  }
  if (types.includes('integer') || types.includes('number')) {
    const fraction: [string, unknown][] = types.includes('integer') ? [['a fraction', 1.5]] : [];
    return [...object, ...list, ['text', 'abc'], ...fraction, ['negative', -1]];
  }
  if (types.includes('boolean')) return [...object, ...list, ['text', 'true'], ['a number', 1]];
  if (types.includes('array')) return [...object, ['text', 'abc'], ['a number', 1], ['list of objects', [{ a: 1 }]]];
  if (types.includes('object')) return [['text', 'abc'], ['a number', 1], ...list];
  return [];
}
