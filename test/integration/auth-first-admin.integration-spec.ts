import { startApp, type TestApp, type TestAppOptions } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller } from '../support/accounts';
import { Caller } from '../support/caller';

const SETTINGS = { GIGVAULT_ADMIN_EMAIL: 'Boss@example.com', GIGVAULT_ADMIN_PASSWORD: 'password' };

describe('the first admin', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterEach(() => app.db.query('superuser', 'DELETE FROM users'));
  afterAll(() => app.close());

  /** Runs `work` with another process of the same installation. */
  async function withProcess<T>(settings: TestAppOptions['settings'], work: (app: TestApp) => Promise<T>): Promise<T> {
    const other = await startApp({ sharedWith: app, settings });
    try {
      return await work(other);
    } finally {
      await other.close();
    }
  }

  const signIn = (password: string) => (other: TestApp) =>
    createAnonymousCaller(other).post('/v1/auth/login', { email: 'boss@example.com', password });

  it('is created from the environment, verified, with any password of 8 characters', async () => {
    const role = await withProcess(SETTINGS, async (other) => {
      const { body } = await signIn('password')(other);
      return (await new Caller(other.url, body.accessToken).get('/v1/users/me')).body.role;
    });

    expect(role).toBe('admin');
  });

  it('keeps the password at every start', async () => {
    await withProcess(SETTINGS, signIn('password'));

    const answers = await withProcess({ ...SETTINGS, GIGVAULT_ADMIN_PASSWORD: 'another one' }, async (other) => [
      (await signIn('another one')(other)).status,
      (await signIn('password')(other)).status,
    ]);

    expect(answers).toEqual([401, 200]);
  });

  it('is not created twice by two processes that start together', async () => {
    await Promise.all([withProcess(SETTINGS, signIn('password')), withProcess(SETTINGS, signIn('password'))]);

    expect(await app.db.query('superuser', `SELECT role FROM users`)).toEqual([{ role: 'admin' }]);
  });

  it('takes over an unverified account, but not its password', async () => {
    await createAnonymousCaller(app).post('/v1/auth/register', {
      email: 'boss@example.com',
      password: 'a stranger chose this',
    });

    const answers = await withProcess(SETTINGS, async (other) => [
      (await signIn('a stranger chose this')(other)).status,
      (await signIn('password')(other)).status,
    ]);

    expect(answers).toEqual([401, 200]);
  });

  it('does not get back a role that another admin removed', async () => {
    await createSignedInCaller(app, { role: 'admin' });
    await createSignedInCaller(app, { email: 'boss@example.com' });

    await withProcess(SETTINGS, async () => undefined);

    expect(await app.db.query('superuser', `SELECT role FROM users WHERE email = 'boss@example.com'`)).toEqual([
      { role: 'user' },
    ]);
  });
});
