import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { currentContext } from '../../src/platform/context/request-context';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller } from '../support/accounts';
import { type Caller } from '../support/caller';
import { listEmails, findToken } from '../support/emails';

const hashed = { count: 0 };

jest.mock('bcrypt', () => {
  const actual = jest.requireActual<typeof import('bcrypt')>('bcrypt');
  return {
    ...actual,
    hash: (...args: Parameters<typeof actual.hash>) => ((hashed.count += 1), actual.hash(...args)),
    compare: (...args: Parameters<typeof actual.compare>) => ((hashed.count += 1), actual.compare(...args)),
  };
});

const PASSWORD = 'seven green umbrellas';

/** What one request costs, by kind of call. */
interface Work {
  readonly bcrypt: number;
  readonly sql: number;
  readonly redis: number;
}

describe('an address without an account', () => {
  let app: TestApp;
  let nobody: Caller;
  const addresses = { verified: '', waiting: '', deactivated: '' };

  beforeAll(async () => {
    app = await startApp();
    nobody = createAnonymousCaller(app);
    const admin = await createSignedInCaller(app, { role: 'admin' });
    for (const kind of ['verified', 'waiting', 'deactivated'] as const) {
      const email = (addresses[kind] = createAddress());
      await nobody.post('/v1/auth/register', { email, password: PASSWORD });
      if (kind !== 'waiting') {
        await nobody.post('/v1/auth/verify-email', { token: findToken((await listEmails(admin, email))[0]) });
      }
    }
    await app.db.query('superuser', `UPDATE users SET is_active = false WHERE email = $1`, [addresses.deactivated]);
  });
  afterAll(() => app.close());

  const createAddress = (): string => `${randomUUID()}@example.com`;

  /** Counts what a request makes this process do, without what the process does in the background. */
  async function workOf(requestId: string, request: () => Promise<unknown>): Promise<Work> {
    const isOfRequest = (): boolean => currentContext()?.requestId === requestId;
    let [sql, redis] = [0, 0];
    const spies = [
      spyOnCalls(Client.prototype, 'query', () => isOfRequest() && (sql += 1)),
      spyOnCalls(Redis.prototype, 'sendCommand', () => isOfRequest() && (redis += 1)),
    ];
    hashed.count = 0;
    await request();
    for (const spy of spies) spy.mockRestore();
    return { bcrypt: hashed.count, sql, redis };
  }

  /** The work for each address; every answer must be the same but for its request id. */
  async function compare(path: string, body: object, emails: readonly string[]): Promise<Work[]> {
    const works: Work[] = [];
    const answers = new Set<string>();
    for (const email of emails) {
      const requestId = randomUUID();
      works.push(
        await workOf(requestId, async () => {
          const { status, body: answer } = await nobody.post(path, { email, ...body }, { 'x-request-id': requestId });
          answers.add(JSON.stringify([status, { ...answer, requestId: '' }]));
        }),
      );
    }
    expect([...answers]).toHaveLength(1);
    expect(works.every(({ sql, redis }) => sql > 0 && redis > 0)).toBe(true);
    return works;
  }

  const allKinds = (): string[] => [...Object.values(addresses), createAddress(), createAddress()];

  it('costs and answers the same as any other at signing up', async () => {
    const works = await compare('/v1/auth/register', { password: PASSWORD }, allKinds());

    expect(works[0]).toMatchObject({ bcrypt: 1 });
    expect(works).toEqual(works.map(() => works[0]));
  });

  it('costs and answers the same as a wrong password at signing in', async () => {
    const works = await compare('/v1/auth/login', { password: 'not the one it is' }, allKinds());

    expect(works[0]).toMatchObject({ bcrypt: 1 });
    expect(works).toEqual(works.map(() => works[0]));
  });

  it('costs and answers the same as any other at asking for another link', async () => {
    const works = await compare('/v1/auth/verify-email/resend', {}, allKinds());

    expect(works[0]).toMatchObject({ bcrypt: 0 });
    expect(works).toEqual(works.map(() => works[0]));
  });

  it('costs and answers the same as any other at asking for a new password', async () => {
    const works = await compare('/v1/auth/password/forgot', {}, allKinds());

    expect(works[0]).toMatchObject({ bcrypt: 0 });
    expect(works).toEqual(works.map(() => works[0]));
  });
});

/** Calls `note` before each call of a method. */
function spyOnCalls<T extends object>(
  target: T,
  method: jest.FunctionPropertyNames<Required<T>>,
  note: () => void,
): jest.SpyInstance {
  const original = target[method] as unknown as (...args: unknown[]) => unknown;
  return jest.spyOn(target, method as never).mockImplementation(function (this: T, ...args: unknown[]) {
    note();
    return original.apply(this, args);
  } as never);
}
