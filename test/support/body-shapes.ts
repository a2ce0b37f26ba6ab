import { buildExample, fillPath, type Operation } from './openapi-operations';

/** A hostile request: many repetitions of one shape. */
export interface ShapedRequest {
  readonly shape: string;
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

/** Texts that make careless patterns and normalization expensive. */
const BODY_CONTENTS: Readonly<Record<string, string>> = {
  letters: 'a',
  spaces: ' ',
  'labels of a host': 'a.',
  'comments without an end': '<!--',
  'at signs': '@',
  'addresses in a row': 'a@a.',
  'characters that NFKC lengthens': '\u33c2',
  'combining marks': 'a\u0301',
  digits: '1',
  commas: ',',
  'escaped quotes': '\\"',
};

/** Builds bodies of about `bytes` bytes whose shape does not depend on the route; `name` is one of its fields. */
function buildJsonShapes(bytes: number, name: string): Record<string, string> {
  const many = (unit: string, first = ''): string =>
    first + unit.repeat(Math.ceil((bytes - first.length) / unit.length));
  const third = many('a').slice(0, bytes / 3);
  const inherited = ['toString', 'valueOf', 'hasOwnProperty'].map((key) => `"${key}":"${third}"`);
  return {
    'unknown names': buildMembers(bytes),
    'nested objects': `${many('{"a":')}1`,
    'nested arrays': many('['),
    'empty objects in a list': `{"${name}":[${many('{},')}{}]}`,
    'numbers in a list': `{"${name}":[${many('1,')}1]}`,
    'texts in a list': `{"${name}":[${many('"a",')}"a"]}`,
    'lists in a list': `[${many('[],')}[]]`,
    'members in a field': `{"${name}":${buildMembers(bytes)}}`,
    'a long name': `{"${many('a')}":1}`,
    'a long number': `{"${name}":${many('9')}}`,
    'spaces around': many(' '),
    'the same name': `{${many(`"${name}":1,`)}"${name}":1}`,
    'the same name behind a long text': `{"${name}":"${many('\\n')}","${name}":1}`,
    'names of every object': `{${inherited.join()}}`,
  };
}

/** Builds an object with as many different names as fit. */
function buildMembers(bytes: number): string {
  const parts: string[] = [];
  for (let [index, length] = [0, 2]; length < bytes; index += 1) {
    const part = `"_${index.toString(36)}":1`;
    parts.push(part);
    length += part.length + 1;
  }
  return `{${parts.join()}}`;
}

/** Builds a body for each filling, with one text field filled at a time or with all of them sharing the bytes. */
function buildFieldShapes(operation: Operation, bytes: number, isEach: boolean): ShapedRequest[] {
  const names = Object.entries(operation.body?.properties ?? {})
    .filter(([, { type }]) => type === undefined || [type].flat().includes('string'))
    .map(([name]) => name);
  const groups = isEach ? names.map((name) => [name]) : names.length > 0 ? [names] : [];
  return groups.flatMap((group) =>
    Object.entries(BODY_CONTENTS).map(([filling, unit]) => {
      const text = unit.repeat(Math.floor(bytes / group.length / Buffer.byteLength(unit)));
      const others = Object.entries(buildExample(operation.body)).filter(([name]) => !group.includes(name));
      const members = [
        ...others.map(([name, value]) => `"${name}":${JSON.stringify(value)}`),
        ...group.map((name) => `"${name}":"${text}"`),
      ];
      const where = isEach ? group.join() : 'each text';
      return {
        ...getTarget(operation),
        shape: `${filling} in ${where}`,
        type: 'application/json',
        body: `{${members.join()}}`,
      };
    }),
  );
}

/** Builds a body of each shape for the operation; `isEach` fills one text field at a time. */
export function buildShapedRequests(operation: Operation, bytes: number, { isEach = false } = {}): ShapedRequest[] {
  const [name = 'title'] = Object.keys(operation.body?.properties ?? {});
  const shapes = Object.entries(buildJsonShapes(bytes, name)).map(([shape, body]) => ({
    ...getTarget(operation),
    shape,
    type: 'application/json',
    body,
  }));
  return [...shapes, ...buildFieldShapes(operation, bytes, isEach)];
}

/** Builds bodies that only imports read. */
export function buildImportShapes(bytes: number): ShapedRequest[] {
  const target = { method: 'POST', path: '/v1/jobs/import' };
  const csv = Object.entries({
    'columns in the header': 'a,'.repeat(bytes / 2),
    'one column in the header': `${'a'.repeat(bytes)}\n1\n`,
    'empty values in a row': `title\n${','.repeat(bytes)}`,
    'values in a row': `title,country\n${'a,'.repeat(bytes / 2)}\n`,
    'quotes in a row': `title,country\n${'"'.repeat(bytes)}\n`,
    'quotes behind letters': `title,country\n${'a"'.repeat(bytes / 2)}\n`,
    'a quote without an end': `title,country\n"${'a\n'.repeat(bytes / 2)}`,
    'skills in a cell': `title,skills\nA,"${'a,'.repeat(bytes / 2 - 100)}"\n`,
    'JSON in a cell': `title,skills\nA,"[${'1,'.repeat(bytes / 2 - 100)}1]"\n`,
    'a budget in a cell':
      'Job Title,Hourly/Fixed,Budget,Level,Skills\n' + `A,Hourly,"$${'1,'.repeat(bytes / 2 - 100)}",N/A,N/A\n`,
    'empty lines': `title\n${'\n'.repeat(bytes)}`,
  }).map(([shape, body]) => ({ ...target, shape, type: 'text/csv', body }));
  const rows = Object.entries(buildJsonShapes(bytes * 0.9, 'title'));
  return [
    ...csv,
    ...rows.map(([shape, body]) => ({
      ...target,
      shape: `${shape} in a line`,
      type: 'application/x-ndjson',
      body: body.replaceAll('\n', ' '),
    })),
    ...rows.slice(0, 4).map(([shape, body]) => ({
      ...target,
      shape: `${shape} in an element`,
      type: 'application/json',
      body: `[${body}]`,
    })),
    { ...target, shape: 'empty lines', type: 'application/x-ndjson', body: '\n'.repeat(bytes) },
    { ...target, shape: 'empty objects, a line each', type: 'application/x-ndjson', body: '{}\n'.repeat(bytes / 3) },
    { ...target, shape: 'commas', type: 'application/json', body: `[${','.repeat(bytes)}]` },
    { ...target, shape: 'a merge patch', type: 'application/merge-patch+json', body: `[${'{},'.repeat(bytes / 3)}{}]` },
  ];
}

/** Builds bodies for the dashboard's forms. */
export function buildFormShapes(path: string, bytes: number): ShapedRequest[] {
  const type = 'application/x-www-form-urlencoded';
  const form = (shape: string, body: string): ShapedRequest => ({ method: 'POST', path, shape, type, body });
  return [
    form('names', Array.from({ length: bytes / 8 }, (_, index) => `n${index.toString(36)}=1`).join('&')),
    form('one name', 'email=a&'.repeat(bytes / 8)),
    form('a long text', `email=${'a'.repeat(bytes)}`),
    form('a text of escapes', `email=${'%C3%A9'.repeat(bytes / 6)}`),
    form('ampersands', '&'.repeat(bytes)),
    form('at signs', `password=x&email=${'@'.repeat(bytes)}`),
    { ...form('JSON', buildMembers(bytes)), type: 'application/json' },
  ];
}

function getTarget(operation: Operation): { method: string; path: string } {
  return { method: operation.method, path: fillPath(operation, {}) };
}
