import { AccountsService } from '../../src/auth/accounts/accounts.service';
import { FirstAdminService } from '../../src/auth/accounts/first-admin.service';
import { PasswordsService } from '../../src/auth/passwords/passwords.service';
import { SecurityEventsService } from '../../src/auth/security-events/security-events.service';
import { loadServerConfig } from '../../src/platform/config/load-config';
import { startApp, type TestApp } from '../support/test-app';
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

  /** Does what a process with these settings does at its start. */
  const bootstrap = (settings: Readonly<Record<string, string>> = SETTINGS): Promise<void> =>
    new FirstAdminService(
      app.get(AccountsService),
      app.get(PasswordsService),
      app.get(SecurityEventsService),
      loadServerConfig('api', { ...app.settings, ...settings }),
    ).onApplicationBootstrap();

  const signIn = (password: string) =>
    createAnonymousCaller(app).post('/v1/auth/login', { email: 'boss@example.com', password });

  it('is created from the environment, verified, with any password of 8 characters', async () => {
    const other = await startApp({ sharedWith: app, settings: SETTINGS });
    await other.close();

    const { body } = await signIn('password');

    expect((await new Caller(app.url, body.accessToken).get('/v1/users/me')).body.role).toBe('admin');
  });

  it('keeps the password at every start', async () => {
    await bootstrap();
    await bootstrap({ ...SETTINGS, GIGVAULT_ADMIN_PASSWORD: 'another one' });

    expect([(await signIn('another one')).status, (await signIn('password')).status]).toEqual([401, 200]);
  });

  it('is not created twice by two processes that start together', async () => {
    await Promise.all([bootstrap(), bootstrap()]);

    expect(await app.db.query('superuser', `SELECT role FROM users`)).toEqual([{ role: 'admin' }]);
    expect((await signIn('password')).status).toBe(200);
  });

  it('takes over an unverified account, but not its password', async () => {
    await createAnonymousCaller(app).post('/v1/auth/register', {
      email: 'boss@example.com',
      password: 'a stranger chose this',
    });

    await bootstrap();

    expect([(await signIn('a stranger chose this')).status, (await signIn('password')).status]).toEqual([401, 200]);
  });

  it('does not get back a role that another admin removed', async () => {
    await createSignedInCaller(app, { role: 'admin' });
    await createSignedInCaller(app, { email: 'boss@example.com' });

    await bootstrap();

    expect(await app.db.query('superuser', `SELECT role FROM users WHERE email = 'boss@example.com'`)).toEqual([
      { role: 'user' },
    ]);
  });
});
