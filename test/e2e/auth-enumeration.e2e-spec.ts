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

/** Number of calls of one request, by kind. */
interface Cost {
  readonly bcrypt: number;
  readonly sql: number;
  readonly redis: number;
}

describe('an address without an account', () => {
  let app: TestApp;
  let anonymous: Caller;
  const addresses = { verified: '', waiting: '', deactivated: '' };

  beforeAll(async () => {
    app = await startApp();
    anonymous = createAnonymousCaller(app);
    const admin = await createSignedInCaller(app, { role: 'admin' });
    for (const kind of ['verified', 'waiting', 'deactivated'] as const) {
      const email = (addresses[kind] = generateAddress());
      await anonymous.post('/v1/auth/register', { email, password: PASSWORD });
      if (kind !== 'waiting') {
        const token = findToken((await listEmails(admin, email))[0]);
        await anonymous.post('/v1/auth/verify-email', { token, password: PASSWORD });
      }
    }
    await app.db.query('superuser', `UPDATE users SET is_active = false WHERE email = $1`, [addresses.deactivated]);
  });
  afterAll(() => app.close());

  const generateAddress = (): string => `${randomUUID()}@example.com`;

  /** Counts the calls of a request, without those of the background. */
  async function measureCost(requestId: string, request: () => Promise<unknown>): Promise<Cost> {
    const isInRequest = (): boolean => currentContext()?.requestId === requestId;
    let [sql, redis] = [0, 0];
    const spies = [
      spyOnCalls(Client.prototype, 'query', () => isInRequest() && (sql += 1)),
      spyOnCalls(Redis.prototype, 'sendCommand', () => isInRequest() && (redis += 1)),
    ];
    hashed.count = 0;
    await request();
    for (const spy of spies) spy.mockRestore();
    return { bcrypt: hashed.count, sql, redis };
  }

  /** Returns the cost for each address; asserts that all answers differ only in their request id. */
  async function compare(path: string, body: object, emails: readonly string[]): Promise<Cost[]> {
    const costs: Cost[] = [];
    const answers = new Set<string>();
    for (const email of emails) {
      const requestId = randomUUID();
      costs.push(
        await measureCost(requestId, async () => {
          const { status, body: answer } = await anonymous.post(
            path,
            { email, ...body },
            { 'x-request-id': requestId },
          );
          answers.add(JSON.stringify([status, { ...answer, requestId: '' }]));
        }),
      );
    }
    expect([...answers]).toHaveLength(1);
    expect(costs.every(({ sql, redis }) => sql > 0 && redis > 0)).toBe(true);
    return costs;
  }

  const listAddresses = (): string[] => [...Object.values(addresses), generateAddress(), generateAddress()];

  it('costs and answers the same as any other at registration', async () => {
    const costs = await compare('/v1/auth/register', { password: PASSWORD }, listAddresses());

    expect(costs[0]).toMatchObject({ bcrypt: 1 });
    expect(costs).toEqual(costs.map(() => costs[0]));
  });

  it('costs and answers the same as a wrong password at signing in', async () => {
    const costs = await compare('/v1/auth/login', { password: 'not the one it is' }, listAddresses());

    expect(costs[0]).toMatchObject({ bcrypt: 1 });
    expect(costs).toEqual(costs.map(() => costs[0]));
  });

  it('costs and answers the same as any other for another verification link', async () => {
    const costs = await compare('/v1/auth/verify-email/resend', {}, listAddresses());

    expect(costs[0]).toMatchObject({ bcrypt: 0 });
    expect(costs).toEqual(costs.map(() => costs[0]));
  });

  it('costs and answers the same as any other for a password reset', async () => {
    const costs = await compare('/v1/auth/password/forgot', {}, listAddresses());

    expect(costs[0]).toMatchObject({ bcrypt: 0 });
    expect(costs).toEqual(costs.map(() => costs[0]));
  });
});

/** Calls `onCall` before each call of a method. */
function spyOnCalls<T extends object>(
  target: T,
  method: jest.FunctionPropertyNames<Required<T>>,
  onCall: () => void,
): jest.SpyInstance {
  const original = target[method] as unknown as (...args: unknown[]) => unknown;
  return jest.spyOn(target, method as never).mockImplementation(function (this: T, ...args: unknown[]) {
    onCall();
    return original.apply(this, args);
  } as never);
}
