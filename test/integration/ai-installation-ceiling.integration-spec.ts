import { parseUsd } from '../../src/ai/usage/cost';
import { UsageLedgerService } from '../../src/ai/usage/usage-ledger.service';
import { Database } from '../../src/platform/database/database';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { runAsUser } from '../support/run-as-user';

const CEILINGS = {
  AI_INSTALLATION_DAILY_CEILING_USD: '0.50',
  AI_INSTALLATION_MONTHLY_CEILING_USD: '0.80',
  // Prevents connection timeouts on a busy machine.
  DATABASE_CONNECT_TIMEOUT_MS: '60000',
};

describe('the AI ceiling of an installation', () => {
  let app: TestApp;
  let users: SignedInCaller[];
  beforeAll(async () => {
    app = await startApp({ settings: CEILINGS });
    users = await Promise.all(Array.from({ length: 4 }, () => createSignedInCaller(app)));
  });
  beforeEach(async () => {
    await app.db.query('superuser', 'UPDATE ai_budgets SET reserved_usd = 0, day_spent_usd = 0, month_spent_usd = 0');
    await app.db.query(
      'superuser',
      'UPDATE app.ai_spending SET reserved_usd = 0, day_spent_usd = 0, month_spent_usd = 0',
    );
  });
  afterAll(() => app.close());

  const reserve = (at: TestApp, user: SignedInCaller, usd: string): Promise<string> =>
    runAsUser(user.id, () =>
      at.get(Database).transaction((unit) => at.get(UsageLedgerService).reserve(unit, parseUsd(usd))),
    ).then(
      () => 'reserved',
      (error: { code: string; extensions?: { period: string } }) => `${error.code} ${error.extensions?.period}`,
    );

  const settle = (user: SignedInCaller, reserved: string, spent: string): Promise<unknown> =>
    app.db.query(
      'superuser',
      `UPDATE ai_budgets SET reserved_usd = reserved_usd - $2, day_spent_usd = day_spent_usd + $3,
         month_spent_usd = month_spent_usd + $3
       WHERE user_id = $1`,
      [user.id, reserved, spent],
    );

  async function readSpending(): Promise<number[]> {
    const [row] = await app.db.query<{ amounts: number[] }>(
      'superuser',
      'SELECT ARRAY[reserved_usd, day_spent_usd, month_spent_usd]::float8[] AS amounts FROM app.ai_spending',
    );
    return row!.amounts;
  }

  it('is not exceeded by parallel reservations of many users on two processes', async () => {
    const second = await startApp({ sharedWith: app });

    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, i) =>
        reserve(i % 2 === 0 ? app : second, users[i % users.length]!, '0.030000000001'),
      ),
    );

    expect(answers.filter((answer) => answer === 'reserved')).toHaveLength(16);
    expect(new Set(answers)).toEqual(new Set(['reserved', 'ai.installation_budget_exceeded day']));
    const [sum] = await app.db.query<{ sum: number }>(
      'superuser',
      'SELECT sum(reserved_usd)::float8 AS sum FROM ai_budgets',
    );
    expect(await readSpending()).toEqual([sum!.sum, 0, 0]);
    await second.close();
  });

  it('counts spending and releases the rest; the day renews, the month does not', async () => {
    await reserve(app, users[0]!, '0.5');
    await settle(users[0]!, '0.5', '0.4');
    expect(await readSpending()).toEqual([0, 0.4, 0.4]);
    expect(await reserve(app, users[1]!, '0.2')).toBe('ai.installation_budget_exceeded day');
    await app.db.query('superuser', 'UPDATE app.ai_spending SET day = day - 1');

    expect(await reserve(app, users[1]!, '0.3')).toBe('reserved');
    expect(await reserve(app, users[2]!, '0.2')).toBe('ai.installation_budget_exceeded month');
  });

  it('keeps the spending of a deleted user, and releases their reservation', async () => {
    const leaver = await createSignedInCaller(app);
    await reserve(app, leaver, '0.3');
    await settle(leaver, '0.1', '0.1');

    await app.db.query('superuser', 'DELETE FROM users WHERE id = $1', [leaver.id]);

    expect(await readSpending()).toEqual([0, 0.1, 0.1]);
  });

  it('is unlimited when it is 0.00', async () => {
    const open = await startApp({
      sharedWith: app,
      settings: { AI_INSTALLATION_DAILY_CEILING_USD: '0.00', AI_INSTALLATION_MONTHLY_CEILING_USD: '0.00' },
    });

    expect(await reserve(open, users[0]!, '1')).toBe('reserved');
    await open.close();
  });

  it('returns 503 with Retry-After, and reveals no spending of others', async () => {
    const strict = await startApp({
      sharedWith: app,
      settings: { AI_INSTALLATION_DAILY_CEILING_USD: '0.01', AI_OPENAI_API_KEY: 'never called' },
    });

    const { status, body, headers } = await users[0]!
      .withBaseUrl(strict.url)
      .post('/v1/ai/generations', { type: 'message', model: 'gpt-4' });

    expect([status, body.code, body.period]).toEqual([503, 'ai.installation_budget_exceeded', 'day']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toMatch(/usd|0\.01/i);
    expect(await readSpending()).toEqual([0, 0, 0]);
    await strict.close();
  });

  it('hides the sums from users', async () => {
    await expect(app.db.query('app', 'SELECT * FROM app.ai_spending')).rejects.toThrow('permission denied');
  });
});
