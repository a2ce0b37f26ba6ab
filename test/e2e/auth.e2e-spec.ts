import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { Caller } from '../support/caller';
import { listEmails, findToken } from '../support/emails';

const PASSWORD = 'seven green umbrellas';

describe('registration and sign-in', () => {
  let app: TestApp;
  let anonymous: Caller;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    anonymous = createAnonymousCaller(app);
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  afterAll(() => app.close());

  const generateAddress = (): string => `${randomUUID()}@Example.com`;

  async function registerUser(email: string, password = PASSWORD): Promise<string> {
    const answer = await anonymous.post('/v1/auth/register', { email, password, firstName: 'Ann' });
    expect(answer).toMatchObject({ status: 202, body: undefined });
    return findToken((await listEmails(admin, email))[0]);
  }

  async function registerAndVerify(email: string, password = PASSWORD): Promise<void> {
    const token = await registerUser(email, password);
    expect((await anonymous.post('/v1/auth/verify-email', { token, password })).status).toBe(204);
  }

  it('covers the whole flow: register, verify, sign in, read, refresh, sign out', async () => {
    const email = generateAddress();
    await registerAndVerify(email);

    const login = await anonymous.post('/v1/auth/login', { email: email.toUpperCase(), password: PASSWORD });
    expect(login).toMatchObject({ status: 200, body: { expiresIn: 900 } });
    const user = new Caller(app.url, login.body.accessToken);
    expect(await user.get('/v1/users/me')).toMatchObject({
      status: 200,
      body: { email: email.toLowerCase(), firstName: 'Ann', lastName: null, role: 'user', isVerified: true },
    });

    const refresh = await anonymous.post('/v1/auth/refresh', { refreshToken: login.body.refreshToken });
    expect(refresh.status).toBe(200);
    expect(refresh.body.refreshToken).not.toBe(login.body.refreshToken);
    const again = new Caller(app.url, refresh.body.accessToken);
    expect((await again.get('/v1/users/me')).status).toBe(200);

    expect((await again.post('/v1/auth/logout', {})).status).toBe(204);
    expect(await again.get('/v1/users/me')).toMatchObject({ status: 401, body: { code: 'auth.token_invalid' } });
    expect((await anonymous.post('/v1/auth/refresh', refresh.body)).status).toBe(400);
    expect((await anonymous.post('/v1/auth/refresh', { refreshToken: refresh.body.refreshToken })).status).toBe(401);
  });

  it('accepts a verification link once, and no unknown one', async () => {
    const email = generateAddress();
    const token = await registerUser(email);

    const answers = await Promise.all(
      Array.from({ length: 8 }, () => anonymous.post('/v1/auth/verify-email', { token, password: PASSWORD })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([204, 400, 400, 400, 400, 400, 400, 400]);
    const unknown = await anonymous.post('/v1/auth/verify-email', { token: 'never-issued', password: PASSWORD });
    expect(unknown).toMatchObject({ status: 400, body: { code: 'auth.link_invalid' } });
  });

  it('serves a page for each emailed link, and opening it does not use the token', async () => {
    const email = generateAddress();
    const token = await registerUser(email);
    const [sentEmail] = await listEmails(admin, email);
    const link = /http\S+/.exec(sentEmail!.text)?.[0] ?? '';

    const page = await anonymous.get(link.replace('http://gigvault.test', ''));
    const script = await anonymous.get('/mail-links.js');

    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.body).toContain('data-action="/v1/auth/verify-email"');
    expect(page.body).toContain('<script src="/mail-links.js">');
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect((await anonymous.get('/reset-password?token=x')).body).toContain('data-action="/v1/auth/password/reset"');
    expect((await anonymous.post('/v1/auth/verify-email', { token, password: PASSWORD })).status).toBe(204);
  });

  it('rejects a link after 24 hours', async () => {
    const token = await registerUser(generateAddress());
    await app.db.query('superuser', `UPDATE one_time_tokens SET expires_at = now() - interval '1 second'`);

    expect((await anonymous.post('/v1/auth/verify-email', { token, password: PASSWORD })).status).toBe(400);
  });

  it('reports an unverified address only for the right password', async () => {
    const email = generateAddress();
    await registerUser(email);

    const right = await anonymous.post('/v1/auth/login', { email, password: PASSWORD });
    const wrong = await anonymous.post('/v1/auth/login', { email, password: `${PASSWORD}!` });

    expect(right).toMatchObject({ status: 403, body: { code: 'auth.email_not_verified' } });
    expect(wrong).toMatchObject({ status: 401, body: { code: 'auth.credentials_invalid' } });
  });

  it('answers an unknown address, a wrong password and a deactivated account alike', async () => {
    const email = generateAddress();
    await registerAndVerify(email);
    const wrong = await anonymous.post('/v1/auth/login', { email, password: 'not the one it is' });
    await app.db.query('superuser', `UPDATE users SET is_active = false WHERE email = $1`, [email.toLowerCase()]);

    const deactivated = await anonymous.post('/v1/auth/login', { email, password: PASSWORD });
    const unknown = await anonymous.post('/v1/auth/login', { email: generateAddress(), password: PASSWORD });

    for (const answer of [wrong, deactivated, unknown]) {
      const { requestId: _, ...problem } = answer.body;
      expect([answer.status, problem]).toEqual([
        401,
        {
          type: '/docs/errors#auth.credentials_invalid',
          title: 'Wrong email address or password',
          detail: 'Check the email address and the password.',
          status: 401,
          instance: '/v1/auth/login',
          code: 'auth.credentials_invalid',
        },
      ]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="gigvault"');
    }
  });

  it('sends another link if there is an account to verify, and gives the same answer if not', async () => {
    const waiting = generateAddress();
    const known = generateAddress();
    await registerUser(waiting);
    await registerAndVerify(known);
    const emailsToKnown = (await listEmails(admin, known)).length;

    for (const email of [waiting, known, generateAddress()]) {
      expect(await anonymous.post('/v1/auth/verify-email/resend', { email })).toMatchObject({
        status: 202,
        body: undefined,
      });
    }

    const emails = await listEmails(admin, waiting);
    expect(emails).toHaveLength(2);
    expect((await listEmails(admin, known)).length).toBe(emailsToKnown);
    const [resent, first] = emails.map(findToken);
    const weak = await anonymous.post('/v1/auth/verify-email', { token: resent, password: 'Iloveyou2!' });
    expect(weak).toMatchObject({ status: 400, body: { code: 'password.unfit', errors: [{ pointer: '/password' }] } });
    const chosen = { token: resent, password: 'eight blue bicycles' };
    expect((await anonymous.post('/v1/auth/verify-email', chosen)).status).toBe(204);
    expect((await anonymous.post('/v1/auth/verify-email', { token: first, password: PASSWORD })).status).toBe(400);
  });

  it('notifies the owner of a verified address of another registration and changes nothing', async () => {
    const email = generateAddress();
    await registerAndVerify(email);

    await anonymous.post('/v1/auth/register', { email, password: 'a stranger chose this', firstName: 'Eve' });

    const [latest] = await listEmails(admin, email);
    expect(latest).toMatchObject({ to: email.toLowerCase(), subject: 'You already have an account' });
    expect(latest?.text).not.toContain('token=');
    expect((await anonymous.post('/v1/auth/login', { email, password: 'a stranger chose this' })).status).toBe(401);
    expect((await anonymous.post('/v1/auth/login', { email, password: PASSWORD })).status).toBe(200);
  });

  describe('of an address that a stranger registers too', () => {
    const STRANGER = { password: 'a stranger chose this', firstName: 'Eve' };
    let email: string;
    let tokens: { before: string; own: string; after: string; resent: string };

    beforeEach(async () => {
      email = generateAddress();
      const send = async (path: string, body: object): Promise<string> => {
        expect((await anonymous.post(path, { email, ...body })).status).toBe(202);
        return findToken((await listEmails(admin, email))[0]);
      };
      tokens = {
        before: await send('/v1/auth/register', STRANGER),
        own: await send('/v1/auth/register', { password: PASSWORD, firstName: 'Ann' }),
        after: await send('/v1/auth/register', STRANGER),
        resent: await send('/v1/auth/verify-email/resend', {}),
      };
    });

    const verify = (token: string, password = PASSWORD) => anonymous.post('/v1/auth/verify-email', { token, password });

    /** Asserts that the account has only the owner's password, and returns its first name. */
    async function readOwnersAccount(password = PASSWORD): Promise<string | null> {
      const stranger = await anonymous.post('/v1/auth/login', { email, password: STRANGER.password });
      const owner = await anonymous.post('/v1/auth/login', { email, password });
      expect([stranger.status, owner.status]).toEqual([401, 200]);
      return (await new Caller(app.url, owner.body.accessToken).get('/v1/users/me')).body.firstName;
    }

    it.each(['before', 'after'] as const)('refuses the link of the stranger, who registered %s', async (which) => {
      expect(await verify(tokens[which])).toMatchObject({ status: 401, body: { code: 'auth.credentials_invalid' } });

      expect((await verify(tokens.own)).status).toBe(204);
      expect(await readOwnersAccount()).toBe('Ann');
      expect((await verify(tokens[which], STRANGER.password)).status).toBe(400);
    });

    it('takes password and names of neither for a link that was sent again', async () => {
      expect((await verify(tokens.resent)).status).toBe(204);

      expect(await readOwnersAccount()).toBeNull();
    });

    it('takes password and names of neither for a password reset', async () => {
      await anonymous.post('/v1/auth/password/forgot', { email });
      const token = findToken((await listEmails(admin, email))[0]);

      const reset = await anonymous.post('/v1/auth/password/reset', { token, password: PASSWORD });

      expect(reset.status).toBe(204);
      expect(await readOwnersAccount()).toBeNull();
      expect((await verify(tokens.after, STRANGER.password)).status).toBe(400);
    });

    it('says in the emails that it was registered more than once', async () => {
      const texts = (await listEmails(admin, email)).map(({ text }) => text.includes('registered more than once'));

      expect(texts).toEqual([false, true, true, false]);
    });
  });

  it('compares every character of a password, also after 36 Cyrillic letters', async () => {
    const email = generateAddress();
    const long = 'пароль'.repeat(6);
    await registerAndVerify(email, `${long}REAL`);

    expect((await anonymous.post('/v1/auth/login', { email, password: `${long}WRONG` })).status).toBe(401);
    expect((await anonymous.post('/v1/auth/login', { email, password: `${long}REAL` })).status).toBe(200);
  });

  it('accepts the same password in another Unicode form', async () => {
    const email = generateAddress();
    await registerAndVerify(email, 'Björn’s café Ångström'.normalize('NFC'));

    const answer = await anonymous.post('/v1/auth/login', {
      email,
      password: 'Björn’s café Ångström'.normalize('NFD'),
    });

    expect(answer.status).toBe(200);
  });

  it.each<[object, string, string, string?]>([
    [{ email: 'no address' }, '/email', 'is_email'],
    [{ email: `${'a'.repeat(250)}@example.com` }, '/email', 'max_length'],
    [{ email: 7 }, '/email', 'is_string'],
    [{ password: '1234567' }, '/password', 'length'],
    [{ password: '' }, '/password', 'length'],
    [{ password: '€'.repeat(129) }, '/password', 'length'],
    [{ password: 'Password123!' }, '/password', 'unfit', 'password.unfit'],
    [{ password: 'example.123' }, '/password', 'unfit', 'password.unfit'],
    [{ password: ['a', 'list'] }, '/password', 'is_string'],
    [{ firstName: 'x'.repeat(101) }, '/firstName', 'max_length'],
    [{ role: 'admin' }, '/role', 'unknown_field'],
    [{ isVerified: true }, '/isVerified', 'unknown_field'],
  ])('names the wrong value in %j', async (wrong, pointer, code, problem = 'validation.failed') => {
    const answer = await anonymous.post('/v1/auth/register', {
      email: 'ann@example.com',
      password: PASSWORD,
      ...wrong,
    });

    expect(answer).toMatchObject({ status: 400, body: { code: problem } });
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer, code }));
  });

  it('accepts any 8 to 128 characters', async () => {
    for (const password of ['👩‍💻👩‍💻ab', '🦉 🐢 ñu €', 'nine ñandúes € '.repeat(8) + 'owl & €7', 'x1y2z3w4']) {
      const answer = await anonymous.post('/v1/auth/register', { email: generateAddress(), password });
      expect([password, answer.status]).toEqual([password, 202]);
    }
  });

  it('updates only the names of a user, and only at the given version', async () => {
    const user = await createSignedInCaller(app);

    const changed = await user.patch('/v1/users/me', { firstName: 'Bea', lastName: null }, { 'if-match': '"1"' });
    const stale = await user.patch('/v1/users/me', { firstName: 'Cleo' }, { 'if-match': '"1"' });
    const forbidden = await user.patch('/v1/users/me', { role: 'admin', email: 'x@example.com' });

    expect(changed).toMatchObject({ status: 200, body: { firstName: 'Bea', lastName: null, version: 2 } });
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(stale.status).toBe(412);
    expect(forbidden).toMatchObject({ status: 400, body: { code: 'validation.failed' } });
    const rows = await app.db.query(
      'superuser',
      `SELECT action, old_values, new_values FROM audit_logs
       WHERE table_name = 'users' AND record_id = $1 AND action = 'UPDATE'`,
      [user.id],
    );
    expect(rows).toEqual([
      {
        action: 'UPDATE',
        old_values: { first_name: 'Ann', last_name: 'Other' },
        new_values: { first_name: 'Bea', last_name: null },
      },
    ]);
  });

  it('records a security event for every outcome', async () => {
    const email = generateAddress();
    await registerAndVerify(email);
    await anonymous.post('/v1/auth/login', { email, password: 'not the one it is' });
    await anonymous.post('/v1/auth/login', { email: 'unknown-user@example.com', password: PASSWORD });
    const { body } = await anonymous.post(
      '/v1/auth/login',
      { email, password: PASSWORD },
      { 'user-agent': 'A browser' },
    );
    await anonymous.post('/v1/auth/refresh', { refreshToken: body.refreshToken });
    await new Caller(app.url, body.accessToken).post('/v1/auth/logout', {});

    const events = await app.db.query(
      'superuser',
      `SELECT event_type, success, details ->> 'reason' AS reason, host(ip_address) AS ip, user_agent
         FROM security_logs WHERE user_id = (SELECT id FROM users WHERE email = $1) ORDER BY id`,
      [email.toLowerCase()],
    );
    const unknown = await app.db.query(
      'superuser',
      `SELECT details ->> 'emailHash' AS hash, details::text LIKE '%unknown-user%' AS leaks FROM security_logs
        WHERE details ->> 'reason' = 'unknown address'`,
    );

    expect(events.map(({ event_type: type, success, reason }) => [type, success, reason])).toEqual([
      ['auth.register', true, null],
      ['auth.verify_email', true, null],
      ['auth.login', false, 'wrong password'],
      ['auth.login', true, null],
      ['auth.refresh', true, 'rotated'],
      ['auth.logout', true, null],
    ]);
    expect(events[3]).toMatchObject({ ip: '127.0.0.1', user_agent: 'A browser' });
    expect(unknown).toContainEqual({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), leaks: false });
  });
});
