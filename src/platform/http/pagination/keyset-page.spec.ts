import fc from 'fast-check';
import { buildTestConfig } from '../../../../test/support/test-config';
import { runInContext, type Principal } from '../../context/request-context';
import { CursorCodec, type CursorKey } from './keyset-page';

const codec = new CursorCodec(buildTestConfig());
const ALICE: Principal = { userId: 1, role: 'user', sessionId: 's' };

function as<T>(principal: Principal | undefined, operation: string, work: () => T): T {
  return runInContext({ requestId: 'r', ip: null, userAgent: null, operation, principal }, work);
}

describe(CursorCodec.name, () => {
  it('decodes the keys that it encoded', () => {
    const key = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    fc.assert(
      fc.property(fc.array<CursorKey>(key), fc.jsonValue(), (keys, scope) => {
        expect(codec.decode(codec.encode(keys, scope), scope)).toEqual(keys);
      }),
    );
  });

  it('ignores the order of filters and absent ones', () => {
    const cursor = codec.encode([1], { status: 'active', skills: ['a', 'b'], q: undefined });

    expect(codec.decode(cursor, { skills: ['a', 'b'], status: 'active' })).toEqual([1]);
  });

  it('rejects another user, route, sort or filter', () => {
    const cursor = as(ALICE, 'GET /v1/jobs', () => codec.encode([1], { sort: '-createdAt' }));
    const rejected = (principal: Principal | undefined, operation: string, scope: unknown) =>
      expect(() => as(principal, operation, () => codec.decode(cursor, scope))).toThrow(
        expect.objectContaining({ code: 'cursor.invalid', status: 400 }),
      );

    expect(as(ALICE, 'GET /v1/jobs', () => codec.decode(cursor, { sort: '-createdAt' }))).toEqual([1]);
    rejected({ ...ALICE, userId: 2 }, 'GET /v1/jobs', { sort: '-createdAt' });
    rejected(undefined, 'GET /v1/jobs', { sort: '-createdAt' });
    rejected(ALICE, 'GET /v1/messages', { sort: '-createdAt' });
    rejected(ALICE, 'GET /v1/jobs', { sort: 'createdAt' });
    rejected(ALICE, 'GET /v1/jobs', { sort: '-createdAt', status: 'active' });
  });

  it('rejects a cursor with any character changed', () => {
    const cursor = codec.encode(['2026-01-01 00:00:00.000001+00', 7], {});
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'ABCabc019-_=. '), (at, character) => {
        fc.pre(cursor[at] !== character);
        const altered = cursor.slice(0, at) + character + cursor.slice(at + 1);

        expect(() => codec.decode(altered, {})).toThrow(expect.objectContaining({ code: 'cursor.invalid' }));
      }),
    );
  });

  it('rejects a cursor of another installation', () => {
    const other = new CursorCodec(buildTestConfig({ SECRET_KEY: Buffer.alloc(32, 9).toString('base64') }));

    expect(() => codec.decode(other.encode([1], {}), {})).toThrow(
      'This cursor belongs to another list, filter or sort.',
    );
  });
});
