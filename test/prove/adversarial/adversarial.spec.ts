import type { Operation } from '../../support/operations';
import { fieldCases } from './exhaustive';
import { ODD_VALUES, textOf } from './odd-values';
import { assertClean, proveAdversarial } from './prove-adversarial';
import type { Input, Reply } from './send';
import { Verdicts, type Fault } from './verdicts';
import type { Identity } from './world';

const OPERATION: Operation = {
  method: 'GET',
  path: '/v1/admin/things/{id}',
  signedIn: true,
  parameters: [{ name: 'id', in: 'path' }],
  body: { properties: { name: {} } },
  examples: {},
  statuses: ['200'],
};
const DOCUMENT = {
  paths: {
    [OPERATION.path]: {
      get: {
        responses: { 200: answerOf({ type: 'object', required: ['id'] }), 400: { $ref: '#/components/responses/Bad' } },
      },
    },
  },
  components: { responses: { Bad: { content: { 'application/problem+json': { schema: { required: ['code'] } } } } } },
};

describe(proveAdversarial.name, () => {
  it('finds no fault in a small share of the requests', async () => {
    const result = assertClean(await proveAdversarial({ seed: 7, oneCaseOf: 60, inputs: 1 }));

    expect(result.fieldCases).toBeGreaterThan(500);
    expect(result.generated).toBe(result.operations * 3);
    expect(Object.keys(result.answers).sort()).toEqual(['admin', 'none', 'user']);
    expect(result.answers['user']?.['200']).toBeGreaterThan(50);
  }, 240_000);

  it('sends every field and parameter every odd value', () => {
    expect(fieldCases(OPERATION)).toHaveLength(2 * ODD_VALUES.length);
    expect(ODD_VALUES.length).toBeGreaterThan(110);
  });
});

describe(Verdicts.name, () => {
  const good: Reply = { status: 200, mediaType: 'application/json', body: '{"id":1}', isStream: false };

  it.each<[Fault['rule'] | undefined, Partial<Reply> | undefined, Partial<Input> & { identity?: Identity }]>([
    [undefined, {}, {}],
    ['unanswered', undefined, {}],
    ['server error', { status: 500 }, {}],
    ['undocumented status', { status: 418 }, {}],
    ['undocumented type', { mediaType: 'text/html' }, {}],
    ['schema', { body: '{}' }, {}],
    ['schema', { body: 'no JSON' }, {}],
    [
      'schema',
      { status: 400, mediaType: 'application/problem+json', body: JSON.stringify({ code: 'x'.repeat(70_000) }) },
      {},
    ],
    [
      'leak',
      { status: 400, mediaType: 'application/problem+json', body: '{"code":"a","detail":"at find (src/a.ts:1:2)"}' },
      {},
    ],
    [
      'leak',
      {
        status: 400,
        mediaType: 'application/problem+json',
        body: '{"code":"a","detail":"relation \\"jobs\\" does not exist"}',
      },
      {},
    ],
    ['foreign row', {}, { isForeign: true }],
    ['admin route', {}, { identity: 'user' }],
  ])('finds the fault: %s', (rule, change, { identity = 'admin', ...input }) => {
    const request: Input = { kind: 'valid', method: 'GET', path: '/v1/admin/things/1', headers: {}, ...input };
    const faults = new Verdicts(DOCUMENT).faultsOf(OPERATION, identity, request, change && { ...good, ...change });

    expect(faults.map((fault) => fault.rule)).toEqual(rule === undefined ? [] : expect.arrayContaining([rule]));
  });

  it('takes no odd value that is echoed for a leak', () => {
    const problem = (value: unknown): Reply => ({
      ...good,
      status: 400,
      mediaType: 'application/problem+json',
      body: JSON.stringify({ code: textOf(value) }),
    });
    const input: Input = { kind: 'valid', method: 'GET', path: '/v1/admin/things/1', headers: {} };
    const leaks = ODD_VALUES.filter((value) =>
      new Verdicts(DOCUMENT).faultsOf(OPERATION, 'admin', input, problem(value)).some(({ rule }) => rule === 'leak'),
    );

    expect(leaks).toEqual([]);
  });
});

function answerOf(schema: object): object {
  return { content: { 'application/json': { schema } } };
}
