import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { Caller } from '../support/caller';

describe('closed registration', () => {
  let app: TestApp;
  beforeAll(async () => (app = await startApp({ settings: { REGISTRATION_ENABLED: 'false' } })));
  afterAll(() => app.close());

  it('answers 403 for known and unknown addresses and writes nothing', async () => {
    const { email } = await createSignedInCaller(app);
    const state = `SELECT (SELECT count(*)::integer FROM users) AS users,
      (SELECT count(*)::integer FROM one_time_tokens) AS tokens`;
    const before = await app.db.query('superuser', state);

    const answers = await Promise.all(
      [email, 'nobody@example.com'].map((address) =>
        new Caller(app.url).post('/v1/auth/register', { email: address, password: 'seven green umbrellas' }),
      ),
    );

    const [known, unknown] = answers.map(({ status, body: { requestId: _, instance: __, ...body } }) => ({
      status,
      body,
    }));
    expect(known).toMatchObject({ status: 403, body: { code: 'auth.registration_closed' } });
    expect(known).toEqual(unknown);
    expect(await app.db.query('superuser', state)).toEqual(before);
  });

  it('does not affect existing accounts', async () => {
    expect((await (await createSignedInCaller(app)).get('/v1/users/me')).status).toBe(200);
  });
});
