import type { Operation } from '../../support/openapi-operations';
import { listFieldCases } from './field-cases';
import { HOSTILE_VALUES, toText } from './hostile-values';
import { assertNoFindings, stressAdversarial } from './adversarial';
import type { Input, Reply } from './sender';
import { ResponseChecks, type ResponseFault } from './response-checks';
import type { Identity } from './fixtures';

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

describe(stressAdversarial.name, () => {
  it('finds no fault in a small share of the requests', async () => {
    const result = assertNoFindings(await stressAdversarial({ seed: 7, oneCaseOf: 60, inputs: 1 }));

    expect(result.fieldCases).toBeGreaterThan(500);
    expect(result.generated).toBe(result.operations * 3);
    expect(Object.keys(result.answers).sort()).toEqual(['admin', 'none', 'user']);
    expect(result.answers['user']?.['200']).toBeGreaterThan(50);
  });

  it('sends every field and parameter every hostile value', () => {
    expect(listFieldCases(OPERATION)).toHaveLength(2 * HOSTILE_VALUES.length);
    expect(HOSTILE_VALUES.length).toBeGreaterThan(110);
  });
});

describe(ResponseChecks.name, () => {
  const good: Reply = { status: 200, mediaType: 'application/json', body: '{"id":1}', isStream: false };

  it.each<[ResponseFault['rule'] | undefined, Partial<Reply> | undefined, Partial<Input> & { identity?: Identity }]>([
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
    const faults = new ResponseChecks(DOCUMENT).findFaults(
      OPERATION,
      identity,
      request,
      change && { ...good, ...change },
    );

    expect(faults.map((fault) => fault.rule)).toEqual(rule === undefined ? [] : expect.arrayContaining([rule]));
  });

  it('does not report an echoed hostile value as a leak', () => {
    const problem = (value: unknown): Reply => ({
      ...good,
      status: 400,
      mediaType: 'application/problem+json',
      body: JSON.stringify({ code: toText(value) }),
    });
    const input: Input = { kind: 'valid', method: 'GET', path: '/v1/admin/things/1', headers: {} };
    const leaks = HOSTILE_VALUES.filter((value) =>
      new ResponseChecks(DOCUMENT)
        .findFaults(OPERATION, 'admin', input, problem(value))
        .some(({ rule }) => rule === 'leak'),
    );

    expect(leaks).toEqual([]);
  });
});

function answerOf(schema: object): object {
  return { content: { 'application/json': { schema } } };
}
