import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { startApp, type TestApp } from '../support/test-app';
import {
  createAnonymousCaller,
  createSignedInCaller,
  createUser,
  type SignedInCaller,
  signInFrom,
} from '../support/accounts';
import type { Caller } from '../support/caller';
import { listEmails, findToken } from '../support/emails';

const NEW_PASSWORD = 'eight blue bicycles';

describe('passwords and sessions of an account', () => {
  let app: TestApp;
  let anonymous: Caller;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    anonymous = createAnonymousCaller(app);
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  afterAll(() => app.close());

  const getStatus = async (user: Caller): Promise<number> => (await user.get('/v1/users/me')).status;
  const login = (email: string, password: string) => anonymous.post('/v1/auth/login', { email, password });

  it('changes with the current password, ends the other sessions and notifies the owner', async () => {
    const person = await createUser(app);
    const [here, there] = [await signInFrom(app, person), await signInFrom(app, person)];

    const changed = await here.post('/v1/auth/password', {
      currentPassword: person.password,
      newPassword: NEW_PASSWORD,
    });

    expect(changed.status).toBe(204);
    expect([await getStatus(here), await getStatus(there)]).toEqual([200, 401]);
    expect((await login(person.email, person.password)).status).toBe(401);
    expect((await login(person.email, NEW_PASSWORD)).status).toBe(200);
    expect((await listEmails(admin, person.email))[0]?.subject).toBe('Your password was changed');
  });

  it('keeps the session that changed it in a process that has not seen it', async () => {
    const second = await startApp({ sharedWith: app });
    const person = await createUser(app);
    const here = await signInFrom(app, person);

    await here.post('/v1/auth/password', { currentPassword: person.password, newPassword: NEW_PASSWORD });

    expect((await here.withBaseUrl(second.url).get('/v1/users/me')).status).toBe(200);
    await second.close();
  });

  it('does not change with a wrong current password or to an unfit one', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    const { password } = person;

    const wrong = await user.post('/v1/auth/password', { currentPassword: 'not it at all', newPassword: NEW_PASSWORD });
    const common = await user.post('/v1/auth/password', { currentPassword: password, newPassword: 'Iloveyou2!' });
    const short = await user.post('/v1/auth/password', { currentPassword: password, newPassword: 'short' });

    expect(wrong).toMatchObject({ status: 401, body: { code: 'auth.credentials_invalid' } });
    expect(common).toMatchObject({
      status: 400,
      body: { code: 'password.unfit', errors: [{ pointer: '/newPassword' }] },
    });
    expect(short).toMatchObject({ status: 400, body: { code: 'validation.failed' } });
    expect((await login(person.email, password)).status).toBe(200);
  });

  it('is reset with an emailed link, once, and all sessions end', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    expect(await anonymous.post('/v1/auth/password/forgot', { email: person.email.toUpperCase() })).toMatchObject({
      status: 202,
      body: undefined,
    });
    const token = findToken((await listEmails(admin, person.email))[0]);

    const unfit = await anonymous.post('/v1/auth/password/reset', { token, password: 'password1' });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => anonymous.post('/v1/auth/password/reset', { token, password: NEW_PASSWORD })),
    );

    expect(unfit.body.code).toBe('password.unfit');
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 400, 400, 400]);
    expect(await getStatus(user)).toBe(401);
    expect((await login(person.email, NEW_PASSWORD)).status).toBe(200);
  });

  it('is not reset with a link that is 30 minutes old, of a deactivated account or of another purpose', async () => {
    const [late, gone] = [await createUser(app), await createUser(app)];
    for (const { email } of [late, gone]) await anonymous.post('/v1/auth/password/forgot', { email });
    const tokens = await Promise.all(
      [late, gone].map(async ({ email }) => findToken((await listEmails(admin, email))[0])),
    );
    await app.db.query('superuser', `UPDATE one_time_tokens SET expires_at = now() WHERE user_id = $1`, [late.id]);
    await app.db.query('superuser', `UPDATE users SET is_active = false WHERE id = $1`, [gone.id]);
    await anonymous.post('/v1/auth/register', { email: 'third@example.com', password: NEW_PASSWORD });
    tokens.push(findToken((await listEmails(admin, 'third@example.com'))[0]));

    for (const token of tokens) {
      const answer = await anonymous.post('/v1/auth/password/reset', { token, password: NEW_PASSWORD });
      expect(answer).toMatchObject({ status: 400, body: { code: 'auth.link_invalid' } });
    }
  });

  it('starts no session for a sign-in that read the account before the change', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    await user.post('/v1/auth/password', { currentPassword: person.password, newPassword: NEW_PASSWORD });
    const sessions = app.get(SessionsService);
    const id = sessions.generateId();

    // A sign-in that read the account a second ago and was slow.
    const verifiedAt = new Date(Date.now() - 1000);
    await sessions.begin(id, {
      userId: person.id,
      role: 'user',
      verifiedAt,
      refreshHash: '',
      device: null,
      ip: null,
    });

    expect(await sessions.findLive(id)).toBeNull();
  });

  it('lists sessions with device and address, and ends one or all others', async () => {
    const person = await createUser(app);
    const [here, there, third] = [
      await signInFrom(app, person),
      await signInFrom(app, person, 'a phone'),
      await signInFrom(app, person),
    ];

    const { body } = await here.get('/v1/auth/sessions');
    expect(body.items).toHaveLength(3);
    expect(body.items.filter((item: { current: boolean }) => item.current)).toHaveLength(1);
    const phone = body.items.find(({ device }: { device: string }) => device === 'a phone');
    expect(phone).toEqual({
      id: expect.any(String),
      device: 'a phone',
      ip: '127.0.0.1',
      createdAt: expect.stringMatching(/Z$/),
      lastSeenAt: expect.stringMatching(/Z$/),
      current: false,
    });

    expect((await here.delete(`/v1/auth/sessions/${phone.id}`)).status).toBe(204);
    expect([await getStatus(here), await getStatus(there), await getStatus(third)]).toEqual([200, 401, 200]);
    expect((await here.delete('/v1/auth/sessions')).status).toBe(204);
    expect([await getStatus(here), await getStatus(third)]).toEqual([200, 401]);
    expect((await here.get('/v1/auth/sessions')).body.items).toHaveLength(1);
  });

  it('does not end a session of another user', async () => {
    const [one, other] = [await createSignedInCaller(app), await createSignedInCaller(app)];

    const answer = await one.delete(`/v1/auth/sessions/${other.sessionId}`);

    expect(answer).toMatchObject({ status: 404, body: { code: 'session.not_found' } });
    expect(await getStatus(other)).toBe(200);
  });

  it('is hashed again at sign-in when the cost was raised', async () => {
    const person = await createUser(app);
    const costlier = await startApp({ sharedWith: app, settings: { PASSWORD_HASH_COST: '5' } });

    const answer = await createAnonymousCaller(costlier).post('/v1/auth/login', {
      email: person.email,
      password: person.password,
    });
    await costlier.close();

    expect(answer.status).toBe(200);
    const [row] = await app.db.query<{ hash: string }>(
      'superuser',
      `SELECT encrypted_password AS hash FROM users WHERE id = $1`,
      [person.id],
    );
    expect(row?.hash).toMatch(/^\$2b\$05\$/);
    expect((await login(person.email, person.password)).status).toBe(200);
  });
});
