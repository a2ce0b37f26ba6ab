import { readFileSync } from 'node:fs';
import { DashboardActionsService } from '../../src/admin/dashboard/dashboard-actions.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { ADMIN_ACTS, type AdminAct } from '../../src/platform/context/admin-acts';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { createSignedInCaller, createUser, enableTotp, type SignedInCaller, signInFrom } from '../support/accounts';
import { createAccount, postForm, rawRequest, signInToDashboard } from '../support/dashboard-client';
import { runAsUser } from '../support/run-as-user';
import { startApp, type TestApp } from '../support/test-app';

const NEEDS_STEP_UP = 'auth.step_up_required';

/** The act of each route with which admins change something, and a body that the route accepts. */
const ROUTE_ACTS: Readonly<Record<string, readonly [AdminAct, object]>> = {
  'POST /v1/admin/tasks/{id}/run': ['run-task', { reason: 'x' }],
  'POST /v1/admin/tasks/{id}/pause': ['pause-task', {}],
  'POST /v1/admin/tasks/{id}/resume': ['pause-task', {}],
  'POST /v1/admin/tasks/runs/{runId}/retry': ['run-task', {}],
  'POST /v1/admin/backups': ['create-backup', { reason: 'x' }],
  'POST /v1/admin/audit/verify': ['verify-logs', { reason: 'x' }],
  'POST /v1/admin/backups/{id}/verify': ['verify-backup', {}],
  'POST /v1/admin/encryption-keys/rotate': ['rotate-encryption-keys', { reason: 'x' }],
  'POST /v1/admin/encryption-keys/{id}/retire': ['retire-encryption-key', { reason: 'x' }],
  'PATCH /v1/admin/users/{id}': ['change-user', { role: 'admin', reason: 'x' }],
  'DELETE /v1/admin/users/{id}/sessions': ['end-user-sessions', {}],
  'POST /v1/admin/users/{id}/reset-mfa': ['reset-mfa', {}],
};

describe('an act of an admin', () => {
  let app: TestApp;
  let user: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    user = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const listAdminRoutes = (): string[] => {
    const { paths } = JSON.parse(readFileSync('test/contract/openapi.json', 'utf8')) as {
      paths: Record<string, Record<string, unknown>>;
    };
    return Object.entries(paths)
      .filter(([path]) => path.startsWith('/v1/admin/'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
      .filter((route) => !route.startsWith('GET '));
  };

  it('is declared for every route of the API that is no GET', () => {
    expect(listAdminRoutes().sort()).toEqual(Object.keys(ROUTE_ACTS).sort());
  });

  it.each(Object.entries(ROUTE_ACTS))('needs by %s what its rule says', async (route, [act, body]) => {
    const [method, path] = route.split(' ') as [string, string];
    const admin = await createSignedInCaller(app, { role: 'admin', hasStepUp: false });
    const url = path
      .replace('tasks/{id}', 'tasks/refresh-job-stats')
      .replace('{runId}', '1')
      .replace('{id}', String(user.id));

    const answer = await fetch(app.url + url, {
      method,
      headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

    const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
    expect([route, code === NEEDS_STEP_UP]).toEqual([route, ADMIN_ACTS[act].needsStepUp]);
  });

  it('needs the same in the dashboard, for every action', async () => {
    const cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
    const actions = Object.values(app.get(DashboardActionsService).all);
    const answers: [string, boolean][] = [];
    for (const { path } of actions) {
      const url = path.replace('tasks/:id', 'tasks/refresh-job-stats').replace(':id', String(user.id));
      const form = { reason: 'x' };
      const answer = await postForm(app, `/admin${url}`, form, { cookie, accept: 'application/json' });
      const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
      answers.push([path, code === NEEDS_STEP_UP]);
    }

    expect(actions.length).toBeGreaterThan(14);
    expect(answers).toEqual(actions.map(({ path, act }) => [path, ADMIN_ACTS[act].needsStepUp]));
  });

  it('is refused by PostgreSQL outside of performAsAdmin, whose other caller needs the re-authentication', async () => {
    const system = app.get(SystemDatabase);
    const change = `SELECT app.set_account_status(${user.id}, NULL, 'admin')`;
    const asAdmin = <T>(work: () => Promise<T>, recentAuthUntil: number): Promise<T> =>
      runAsUser(user.id, work, {
        principal: { userId: user.id, role: 'admin', sessionId: 'x', recentAuthUntil },
      });

    await expect(
      asAdmin(() => system.asAdmin('read', (unit) => unit.query(change)), Date.now() + 60_000),
    ).rejects.toMatchObject({ code: '25006' });
    await expect(
      asAdmin(() => system.performAsAdmin('change-user', 'change', (unit) => unit.query(change)), Date.now() - 1),
    ).rejects.toMatchObject({ code: NEEDS_STEP_UP });

    const [row] = await app.db.query<{ role: string }>('superuser', 'SELECT role FROM users WHERE id = $1', [user.id]);
    expect(row).toEqual({ role: 'user' });
  });
});

describe('an admin without a second factor, in production', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({
      settings: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'silent',
        PASSWORD_HASH_COST: '10',
        SMTP_URL: 'smtp://127.0.0.1:1',
        PUBLIC_URL: 'https://api.example.com',
      },
    });
  });
  afterAll(() => app.close());

  it('may only set it up and leave, and may do everything afterwards', async () => {
    const account = await createUser(app, { role: 'admin' });
    const admin = await signInFrom(app, account);
    for (const path of ['/v1/users/me', '/v1/jobs', '/v1/admin/users', '/docs-json']) {
      expect([path, await admin.get(path)]).toMatchObject([
        path,
        { status: 403, body: { code: 'auth.mfa_enrolment_required' } },
      ]);
    }
    expect((await admin.get('/v1/auth/sessions')).status).toBe(200);

    await enableTotp(admin, account);
    const { authenticator } = { authenticator: (await admin.get('/v1/auth/mfa')).body };

    expect(authenticator).toMatchObject({ totpEnabled: true });
    expect((await admin.get('/v1/users/me')).status).toBe(200);
    expect(await admin.get('/v1/admin/users')).toMatchObject({ status: 403, body: { code: NEEDS_STEP_UP } });
    expect((await (await createSignedInCaller(app)).get('/v1/users/me')).status).toBe(200);
  });

  it('is led by the dashboard to the page that sets it up, and nowhere else', async () => {
    const account = await createAccount(app, 'admin');
    const cookie = await signInToDashboard(app, account);
    const headers = { cookie, accept: 'text/html' };

    for (const path of ['/admin', '/admin/users', '/admin/queues', '/admin/keys/rotate', '/admin/backups']) {
      expect([path, await rawRequest(app, path, headers)]).toMatchObject([
        path,
        { status: 303, location: '/admin/account' },
      ]);
    }
    const page = await rawRequest(app, '/admin/account', headers);
    expect([page.status, page.body.includes('/admin/account/two-factor')]).toEqual([200, true]);
    expect(
      (await postForm(app, '/admin/backups/make', { reason: 'x', password: account.password }, { cookie })).status,
    ).toBe(303);
    expect(await app.db.query('superuser', 'SELECT FROM backups')).toEqual([]);

    await app.get(SessionsService).markMfa(account.id, true);
    expect((await rawRequest(app, '/admin/users', headers)).status).toBe(200);
  });
});
