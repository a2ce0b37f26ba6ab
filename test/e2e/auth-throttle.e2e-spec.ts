import { randomUUID } from 'node:crypto';
import { PasswordsService } from '../../src/auth/passwords/passwords.service';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createUser, type Credentials, enableTotp, signInFrom } from '../support/accounts';
import type { Answer } from '../support/caller';
import { freezeDate } from '../support/frozen-date';

const KNOWN_DEVICE = { 'user-agent': 'the usual browser', 'x-forwarded-for': '203.0.113.7' };

describe('failed passwords and codes', () => {
  let app: TestApp;
  let hashed: jest.SpyInstance;

  beforeAll(async () => {
    app = await startApp({
      settings: { AUTH_THROTTLE_SCALE: '1', TRUSTED_PROXIES: '127.0.0.1', DATABASE_CONNECT_TIMEOUT_MS: '30000' },
    });
    hashed = jest.spyOn(app.get(PasswordsService), 'verify');
  });
  // Failures are counted in Redis only, and each test has its own users.
  beforeEach(() => app.redis.flushdb());
  afterEach(() => jest.useRealTimers());
  afterAll(() => app.close());

  const from = (address: string) => ({ 'x-forwarded-for': address, 'user-agent': 'an attacker' });

  const login = (email: string, password: string, headers: Record<string, string> = KNOWN_DEVICE) =>
    createAnonymousCaller(app).post('/v1/auth/login', { email, password }, headers);

  const count = (answers: Answer[], status: number): number =>
    answers.filter((answer) => answer.status === status).length;

  async function runConcurrently<T>(times: number, work: (i: number) => Promise<T>, width = 50): Promise<T[]> {
    const results: T[] = [];
    for (let done = 0; done < times; done += width) {
      results.push(...(await Promise.all(Array.from({ length: width }, (_, i) => work(done + i)))));
    }
    return results;
  }

  it.each([
    ['one address', () => '198.51.100.1'],
    ['100 addresses', (i: number) => `198.51.100.${i % 100}`],
  ])(
    'of 300 attempts from %s at most 20 reach bcrypt, and the owner can sign in from a known device',
    async (_, address) => {
      const person = await createUser(app);
      expect((await login(person.email, person.password)).status).toBe(200);
      hashed.mockClear();

      const answers = await runConcurrently(300, (i) => login(person.email, `wrong number ${i}`, from(address(i))));

      expect(hashed.mock.calls.length).toBeLessThanOrEqual(20);
      const others = answers.filter(({ status }) => status !== 401 && status !== 429);
      expect(others.map(({ status, body }) => [status, body.code])).toEqual([]);
      const refused = answers.find(({ status }) => status === 429);
      expect(refused?.body.code).toBe('auth.throttled');
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await login(person.email, person.password, from('198.51.100.200'))).status).toBe(429);
      expect((await login(person.email, person.password)).status).toBe(200);
    },
  );

  it('of a known device have their own count', async () => {
    const person = await createUser(app);
    await login(person.email, person.password);

    const answers = await runConcurrently(50, (i) => login(person.email, `wrong number ${i}`));

    expect(count(answers, 401)).toBe(15);
    expect((await login(person.email, person.password, from('198.51.100.1'))).status).toBe(200);
  });

  it('of an unknown address are counted and answered like those of a known one', async () => {
    const known = await createUser(app);

    const [toKnown, toUnknown] = await Promise.all(
      [known.email, `${randomUUID()}@example.com`].map(async (email, i) => {
        const statuses: number[] = [];
        for (let n = 0; n < 17; n++) statuses.push((await login(email, 'not it at all', from(`192.0.2.${i}`))).status);
        return statuses;
      }),
    );

    expect(toKnown).toEqual([...Array(15).fill(401), 429, 429]);
    expect(toUnknown).toEqual(toKnown);
  });

  it('of many accounts from one address are counted for the address', async () => {
    // No more at once than may wait for bcrypt: requests rejected by that queue are not counted.
    const attempt = (i: number): Promise<Answer> =>
      login(`somebody-${i}@example.com`, 'not it at all', from('198.51.100.1'));
    const answers = await runConcurrently(100, attempt, 25);

    expect(count(answers, 401)).toBe(60);
    expect((await login('somebody@example.com', 'not it at all', from('198.51.100.2'))).status).toBe(401);
  });

  it('delay longer each time, are limited to 20 an hour, and expire after it', async () => {
    const { email } = await createUser(app);
    const date = freezeDate();
    const began = Date.now();
    const waits: number[] = [];
    let failures = 0;
    while (Date.now() - began < 3_600_000) {
      const answer = await login(email, 'not it at all', from(`192.0.2.${failures}`));
      if (answer.status === 401) failures += 1;
      else {
        const seconds = Number(answer.headers.get('retry-after'));
        waits.push(seconds);
        date.advance(seconds * 1000);
      }
    }

    expect(waits.slice(0, 4)).toEqual([60, 120, 240, 480]);
    expect(Math.max(...waits)).toBeLessThan(3600);
    expect(failures).toBe(20);
    expect((await login(email, 'not it at all', from('192.0.2.99'))).status).toBe(401);
  });

  it('do not include successes, invalid requests and right passwords of unverified accounts', async () => {
    const person = await createUser(app);
    await app.db.query('superuser', `UPDATE users SET is_verified = false WHERE id = $1`, [person.id]);
    for (let n = 0; n < 20; n++) {
      expect((await login(person.email, '', from('192.0.2.1'))).status).toBe(400);
      expect((await login(person.email, person.password, from('192.0.2.1'))).status).toBe(403);
    }
    await app.db.query('superuser', `UPDATE users SET is_verified = true WHERE id = $1`, [person.id]);
    for (let n = 0; n < 20; n++)
      expect((await login(person.email, person.password, from(`192.0.2.${n}`))).status).toBe(200);
  });

  it('of the second factor have their own count, on every route', async () => {
    // A code is accepted for 30 to 60 s only.
    freezeDate();
    const person: Credentials = await createUser(app);
    const user = await signInFrom(app, person);
    const { authenticator } = await enableTotp(user, person);
    const { password } = person;
    const { body } = await login(person.email, password);

    const answers = await runConcurrently(50, (i) =>
      i % 2 === 0
        ? createAnonymousCaller(app).post('/v1/auth/login/mfa', { mfaToken: body.mfaToken, code: '000000' })
        : createAnonymousCaller(app).post('/v1/auth/login/mfa', { mfaToken: body.mfaToken, backupCode: 'AAAAAA' }),
    );

    expect([count(answers, 401), count(answers, 429)]).toEqual([15, 35]);
    const right = await createAnonymousCaller(app).post('/v1/auth/login/mfa', {
      mfaToken: body.mfaToken,
      code: authenticator.generateCode(),
    });
    expect(right).toMatchObject({ status: 429, body: { code: 'auth.throttled' } });
    expect((await user.post('/v1/auth/step-up', { password, code: authenticator.generateCode() })).status).toBe(429);
    expect(
      (await user.post('/v1/auth/mfa/totp/disable', { password, code: authenticator.generateCode() })).status,
    ).toBe(429);
  });

  it('of a signed-in user who re-authenticates are counted', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);

    const answers = await runConcurrently(50, () => user.post('/v1/auth/step-up', { password: 'not it at all' }));

    expect([count(answers, 401), count(answers, 429)]).toEqual([15, 35]);
  });

  it('are limited like registrations, 60 an hour and address, and emails, ten an hour and recipient', async () => {
    const email = `${randomUUID()}@example.com`;
    const body = { email, password: 'seven green umbrellas' };
    const before = await countSentEmails();

    const answers = await runConcurrently(100, () =>
      createAnonymousCaller(app).post('/v1/auth/register', body, from('192.0.2.1')),
    );
    const elsewhere = await createAnonymousCaller(app).post('/v1/auth/register', body, from('192.0.2.2'));

    const queueRejections =
      count(answers, 429) - answers.filter((answer) => answer.body?.code === 'auth.throttled').length;
    expect(count(answers, 202) + queueRejections).toBe(60);
    expect(elsewhere.status).toBe(202);
    expect((await countSentEmails()) - before).toBe(10);
  });

  async function countSentEmails(): Promise<number> {
    const [row] = await app.db.query<{ emails: number }>('superuser', `SELECT count(*) AS emails FROM email_outbox`);
    return row!.emails;
  }
});
