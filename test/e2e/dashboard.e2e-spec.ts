import { randomUUID } from 'node:crypto';
import { DashboardSessionsService } from '../../src/admin/dashboard/dashboard-sessions.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { Config } from '../../src/platform/config/config';
import { TaskQueue } from '../../src/platform/queues/task-queue';
import { createAccount, signInToDashboard, postForm, rawRequest } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { freezeDate } from '../support/frozen-date';
import { createUser, Authenticator, signInFrom as signInToApi, enableTotp } from '../support/accounts';

const PASSWORD = 'seven green umbrellas';

describe('/admin', () => {
  let app: TestApp;
  let cookie: string;

  beforeAll(async () => {
    app = await startApp();
    await createAccount(app, 'admin', 'admin@example.com');
    cookie = await signIn('admin@example.com');
  });

  // Tests of times freeze the date, and those with codes, which are accepted for 30 to 60 s only.
  afterEach(() => jest.useRealTimers());
  afterAll(() => app.close());

  const post = (path: string, form: Record<string, string>, headers?: Record<string, string>) =>
    postForm(app, path, form, headers);
  const raw = (path: string, headers?: Record<string, string>, method?: string) =>
    rawRequest(app, path, headers, method);
  const signIn = (email: string) => signInToDashboard(app, { email, password: PASSWORD });

  describe('without a sign-in', () => {
    const PATHS = [
      '/admin',
      '/admin/',
      '/%61dmin',
      '/admin?x=1',
      '/admin/queues',
      '/admin/queues/',
      '/admin/queues/api/queues',
      '/admin/%71ueues/api/queues',
      '/%61dmin/queues/api/queues?activeQueue=tasks',
      '/admin/queues/queue/tasks/1',
      '/admin/queues/static/js/main.js',
      '/admin//queues/api/queues',
      '//admin/queues/api/queues',
      '/admin/queues;x/api/queues',
      '/admin;x/queues/api/queues',
      '/ADMIN/queues/api/queues',
      '/admin/Queues/api/queues',
      '/admin/./queues/api/queues',
      '/x/../admin/queues/api/queues',
      '/admin%2Fqueues/api/queues',
      '/admin/queues%2Fapi%2Fqueues',
      '/admin/queues/api/queues%00',
    ];

    it.each(PATHS)('gives nothing at %s', async (path) => {
      for (const headers of [{}, { accept: 'text/html' }, { cookie: 'gigvault_admin=1.x.9999999999999.x' }] as Record<
        string,
        string
      >[]) {
        const { status, body, location } = await raw(path, headers);
        expect([303, 400, 401, 404, 405]).toContain(status);
        if (status === 303) expect(location).toMatch(/^\/admin\/sign-in(\?to=%2Fadmin|$)/);
        expect(body).not.toMatch(/bull|tasks\b.*counts|Scheduled/i);
      }
    });

    it.each([
      ['PUT', '/admin/queues/api/queues/tasks/pause'],
      ['PUT', '/admin/%71ueues/api/queues/tasks/clean/failed'],
      ['POST', '/admin/tasks/refresh-job-stats/run'],
      ['POST', '/admin/sign-out'],
    ])('refuses %s %s', async (method, path) => {
      expect((await raw(path, { 'sec-fetch-site': 'same-origin' }, method)).status).toBe(401);
    });
  });

  describe('signing in', () => {
    it('shows a form that works without scripts', async () => {
      const answer = await fetch(`${app.url}/admin/sign-in`);

      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await answer.text()).toContain('<form method="post" action="/admin/sign-in">');
    });

    it('serves the style sheet to every visitor, and the scripts to admins', async () => {
      const headers = { cookie, accept: '*/*' };
      const [style, script, board] = [
        await raw('/admin/style.css'),
        await raw('/admin/script.js', headers),
        await raw('/admin/queues/mend.js', headers),
      ];

      expect([style.status, style.headers['content-type']]).toEqual([200, 'text/css; charset=utf-8']);
      expect(style.body).toContain('prefers-color-scheme: dark');
      for (const { status, headers: sent } of [script, board]) {
        expect([status, sent['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
      }
      expect([script.body.includes('EventSource'), board.body.includes('board-heading')]).toEqual([true, true]);
      expect((await raw('/admin/script.js')).status).toBe(401);
    });

    it('lets an admin in by a cookie that scripts and other sites cannot use', async () => {
      const answer = await post('/admin/sign-in', { email: 'admin@example.com', password: PASSWORD });

      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin']);
      expect(answer.headers.get('set-cookie')).toMatch(
        /^gigvault_admin=[^;]+; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/,
      );
    });

    it('reports a wrong password on the form and keeps the input, except the password', async () => {
      const answer = await post('/admin/sign-in', { email: 'a"b@example.com', password: 'wrong wrong wrong' });
      const text = await answer.text();

      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(text).toContain('value="a&quot;b@example.com"');
      expect(text).not.toContain('wrong wrong wrong');
      expect(answer.headers.get('set-cookie')).toBeNull();
    });

    it('asks an admin with a second factor for a code, again after a wrong one', async () => {
      freezeDate();
      const person = await createUser(app, { role: 'admin' });
      const { authenticator, backupCodes } = await enableTotp(await signInToApi(app, person), person);

      const first = await post('/admin/sign-in', { email: person.email, password: person.password });
      const [, mfaToken = ''] = /name="mfaToken" value="([^"]+)"/.exec(await first.text()) ?? [];
      expect([first.status, first.headers.get('set-cookie')]).toEqual([200, null]);

      const wrong = await post('/admin/sign-in/code', { mfaToken, code: 'not a code' });
      expect(wrong.status).toBe(401);
      expect(await wrong.text()).toContain(`name="mfaToken" value="${mfaToken}"`);

      const right = await post('/admin/sign-in/code', {
        mfaToken,
        code: authenticator.generateCode().replace(/^(...)/, '$1 '),
      });
      expect([right.status, right.headers.get('location')]).toEqual([303, '/admin']);
      const own = right.headers.get('set-cookie')!.split(';', 1)[0]!;
      expect((await raw('/admin', { cookie: own })).status).toBe(200);

      const again = await post('/admin/sign-in/code', { mfaToken, code: backupCodes[0]! });
      expect(again.status).toBe(401);
      expect(await again.text()).toContain('action="/admin/sign-in"');
    });

    it('allows reading while pages are opened, and asks for both factors on an action after ten minutes', async () => {
      freezeDate();
      const person = await createUser(app, { role: 'admin' });
      const { authenticator } = await enableTotp(await signInToApi(app, person), person);
      const { password } = person;
      const first = await post('/admin/sign-in', { email: person.email, password });
      const [, mfaToken = ''] = /name="mfaToken" value="([^"]+)"/.exec(await first.text()) ?? [];
      const signedIn = await post('/admin/sign-in/code', { mfaToken, code: authenticator.generateCode() });
      const headers = { cookie: signedIn.headers.get('set-cookie')!.split(';', 1)[0]!, accept: 'text/html' };
      const [, sessionId] = headers.cookie.replace('gigvault_admin=', '').split('.');
      await app.get(SessionsService).markStepUp(sessionId!, new Date(Date.now() - 1));
      const run = (form: Record<string, string>) =>
        post('/admin/tasks/refresh-job-stats/run', { reason: 'why not', ...form }, headers);

      for (const path of ['/admin', '/admin/queues/']) expect((await raw(path, headers)).status).toBe(200);
      expect((await raw('/admin/tasks/refresh-job-stats/run', headers)).body).toMatch(/name="password"[^]*name="code"/);
      const bare = await run({});
      expect([bare.status, /name="password"/.test(await bare.text())]).toEqual([403, true]);
      const wrong = await run({ password: 'not it at all', code: '000000' });
      expect([wrong.status, /role="alert"[^]*value="why not"/.test(await wrong.text())]).toEqual([401, true]);
      expect((await run({ password, code: authenticator.generateCode() })).status).toBe(401);
      await app.db.query('superuser', `UPDATE user_mfa SET last_totp_step = last_totp_step - 1 WHERE user_id = $1`, [
        person.id,
      ]);

      const right = await run({ password, code: authenticator.generateCode() });

      expect([right.status, right.headers.get('location')]).toEqual([
        303,
        expect.stringMatching(/^\/admin\/runs\/\d+\?done=run$/),
      ]);
      expect((await raw('/admin/tasks/refresh-job-stats/run', headers)).body).not.toContain('name="password"');
    });

    it.each([
      '/admin/keys/rotate',
      '/admin/keys/old/retire',
      '/admin/backups/make',
      '/admin/backups/1/verify',
      '/admin/users/1/deactivate',
      '/admin/users/1/activate',
      '/admin/users/1/make-admin',
      '/admin/users/1/remove-admin',
      '/admin/users/1/end-sessions',
      '/admin/users/1/reset-mfa',
    ])('performs %s only after a step-up, also for an admin without a second factor', async (path) => {
      const own = await signIn('admin@example.com');
      const before = await app.db.query(
        'superuser',
        'SELECT (SELECT count(*) FROM task_runs) AS runs, (SELECT count(*) FROM backups) AS backups',
      );

      const answers = [
        await post(path, { reason: 'x' }, { cookie: own }),
        await post(path, { reason: 'x', password: 'not it at all' }, { cookie: own }),
      ];
      const program = await post(path, { reason: 'x' }, { cookie: own, accept: 'application/json' });

      expect(answers.map(({ status }) => status)).toEqual([403, 401]);
      for (const answer of answers) expect(await answer.text()).toContain('name="password"');
      expect([program.status, ((await program.json()) as { code: string }).code]).toEqual([
        403,
        'auth.step_up_required',
      ]);
      expect(
        await app.db.query(
          'superuser',
          'SELECT (SELECT count(*) FROM task_runs) AS runs, (SELECT count(*) FROM backups) AS backups',
        ),
      ).toEqual(before);
    });

    it('asks to confirm after half an hour without a page, then opens the requested page', async () => {
      const own = await signIn('admin@example.com');
      freezeDate(Date.now() + 31 * 60_000);
      const asked = await raw('/admin/runs?task=backup', { cookie: own, accept: 'text/html' });
      expect(asked).toMatchObject({ status: 303, location: '/admin/confirm?to=%2Fadmin%2Fruns%3Ftask%3Dbackup' });
      const form = await raw(asked.location!, { cookie: own, accept: 'text/html' });
      expect(form.body).toContain('name="to" value="/admin/runs?task=backup"');
      const wrong = await post(
        '/admin/confirm',
        { password: 'not it at all', to: '/admin/runs?task=backup' },
        { cookie: own },
      );
      expect([wrong.status, (await wrong.text()).includes('name="to" value="/admin/runs?task=backup"')]).toEqual([
        401,
        true,
      ]);
      const right = await post(
        '/admin/confirm',
        { password: PASSWORD, to: '/admin/runs?task=backup' },
        { cookie: own },
      );
      expect([right.status, right.headers.get('location')]).toEqual([303, '/admin/runs?task=backup']);
      const renewed = right.headers.get('set-cookie')!.split(';', 1)[0]!;
      expect((await raw('/admin/runs?task=backup', { cookie: renewed, accept: 'text/html' })).status).toBe(200);
      expect((await raw('/admin/runs', { cookie: own })).status).toBe(403);
    });

    it('renews the half hour with each page that a person opens', async () => {
      const own = await signIn('admin@example.com');
      freezeDate(Date.now() + 29 * 60_000);
      const page = await raw('/admin/runs', { cookie: own, accept: 'text/html' });
      expect(page.headers['set-cookie']).toEqual([expect.stringMatching(/^gigvault_admin=/)]);
      expect((await raw('/admin/script.js', { cookie: own })).headers['set-cookie']).toBeUndefined();
    });

    it('opens the requested page after the sign-in, but none of another site', async () => {
      const asked = await raw('/admin/users/8', { accept: 'text/html' });
      expect(asked).toMatchObject({ status: 303, location: '/admin/sign-in?to=%2Fadmin%2Fusers%2F8' });
      expect((await raw(asked.location!)).body).toContain('name="to" value="/admin/users/8"');
      const locations = [];
      for (const to of ['/admin/users/8', 'https://evil.example/admin', '//evil.example', '/v1/jobs', '/admin/../v1']) {
        locations.push(
          (await post('/admin/sign-in', { email: 'admin@example.com', password: PASSWORD, to })).headers.get(
            'location',
          ),
        );
      }
      expect(locations).toEqual(['/admin/users/8', '/admin', '/admin', '/admin', '/admin']);
    });

    it('answers an unknown address or method below /admin with a page or, for programs, a problem', async () => {
      const page = await raw('/admin/nope', { cookie, accept: 'text/html' });
      expect([page.status, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
      expect(page.body).toContain('Back to the dashboard');
      expect(
        (await raw('/admin/account/sessions/end-others', { cookie, accept: 'text/html' })).headers['content-type'],
      ).toBe('text/html; charset=utf-8');
      expect((await raw('/admin/nope', { cookie })).headers['content-type']).toContain('application/problem+json');
    });

    it('lets an admin turn on a second factor by a QR code, on the page of their account', async () => {
      freezeDate();
      const person = await createUser(app, { role: 'admin' });
      const own = { cookie: await signInToDashboard(app, person) };
      expect((await raw('/admin/account', own)).body).toMatch(new RegExp(`${person.email}[^]*Set up[^]*this session`));
      const refused = await post('/admin/account/two-factor', { password: 'not it at all' }, own);
      expect([refused.status, (await refused.text()).includes('role="alert"')]).toEqual([401, true]);

      const enrol = await post('/admin/account/two-factor', { password: PASSWORD }, own);
      const page = await enrol.text();
      expect(enrol.headers.get('content-security-policy')).toContain('img-src data:');
      expect(page).toContain('src="data:image/svg+xml;base64,');
      const secret = /Key: <code>([A-Z2-7 ]+)</.exec(page)![1]!.replaceAll(' ', '');
      const authenticator = new Authenticator(secret);
      const wrong = await post('/admin/account/two-factor/confirm', { code: 'x' }, own);
      expect([wrong.status, (await wrong.text()).includes('role="alert"')]).toEqual([400, true]);
      const confirmed = await (
        await post('/admin/account/two-factor/confirm', { code: authenticator.generateCode(0) }, own)
      ).text();

      expect(confirmed.match(/<li>[A-Z0-9-]+<\/li>/g)).toHaveLength(10);
      expect((await raw('/admin/account', own)).body).toContain('10 backup codes left');
      const again = await post('/admin/sign-in', { email: person.email, password: PASSWORD });
      expect(await again.text()).toContain('name="mfaToken"');
    });

    it('rejects users who are not admins and leaves them no session', async () => {
      const email = `${randomUUID()}@example.com`;
      await createAccount(app, 'user', email);
      const [user] = await app.db.query<{ id: number }>('superuser', 'SELECT id FROM users WHERE email = $1', [email]);
      const before = await app.get(SessionsService).list(user!.id);

      const answer = await post('/admin/sign-in', { email, password: PASSWORD });

      expect(answer.status).toBe(403);
      expect(answer.headers.get('set-cookie')).toBeNull();
      expect(await app.get(SessionsService).list(user!.id)).toHaveLength(before.length);
    });

    it.each<Record<string, string>>([
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': '', origin: 'https://evil.example' },
      { 'sec-fetch-site': '', origin: 'null' },
    ])('refuses a form from another site: %j', async (headers) => {
      const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
      const answer = await fetch(`${app.url}/admin/tasks/create-partitions/run`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ reason: 'x' }),
        headers: { ...sent, cookie },
      });
      expect(answer.status).toBe(403);
    });

    it('refuses a changed or expired cookie, and one of an ended session', async () => {
      const own = await signIn('admin@example.com');
      const [userId, sessionId, ends, seen, signature] = own.replace('gigvault_admin=', '').split('.');
      const status = async (value: string) => (await raw('/admin', { cookie: `gigvault_admin=${value}` })).status;

      expect(await status(`${userId}.${sessionId}.${ends}.${seen}.${signature}`)).toBe(200);
      expect(await status(`${userId}.${sessionId}.${Number(ends) + 1}.${seen}.${signature}`)).toBe(401);
      expect(await status(`${Number(userId) + 1}.${sessionId}.${ends}.${seen}.${signature}`)).toBe(401);
      expect(await status(`${userId}.${sessionId}.${ends}.${seen}.`)).toBe(401);
      const now = jest.spyOn(Date, 'now').mockReturnValue(Number(ends) + 1);
      await expect(app.get(DashboardSessionsService).authenticate({ headers: { cookie: own } })).rejects.toThrow();
      now.mockRestore();
      await app.get(SessionsService).end(Number(userId), sessionId!);
      expect(await status(`${userId}.${sessionId}.${ends}.${seen}.${signature}`)).toBe(401);
    });

    it('signs out and ends the session', async () => {
      const own = await signIn('admin@example.com');

      const answer = await post('/admin/sign-out', {}, { cookie: own });

      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin/sign-in']);
      expect(answer.headers.get('set-cookie')).toContain('Max-Age=0');
      expect((await raw('/admin', { cookie: own })).status).toBe(401);
    });

    it('does not open the API', async () => {
      expect((await raw('/v1/admin/tasks', { cookie })).status).toBe(401);
    });
  });

  describe('signed in', () => {
    it('shows health, tasks and runs, and needs no script', async () => {
      const answer = await fetch(`${app.url}/admin`, { headers: { cookie } });
      const text = await answer.text();

      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; " +
          "base-uri 'none'; frame-ancestors 'none'",
      );
      expect(answer.headers.get('cache-control')).toBe('no-store');
      for (const expected of [
        'PostgreSQL',
        'Redis',
        'Partitions',
        'refresh-job-stats',
        'every minute',
        'Latest runs',
      ]) {
        expect(text).toContain(expected);
      }
      expect(text).toContain('no worker has scheduled');
      expect(text.match(/<script[^>]*>/g)).toEqual(['<script src="/admin/script.js" defer>']);
      expect(text).not.toMatch(/style="| on[a-z]+="|https?:\/\/(?!www\.w3\.org)/);
    });

    it('runs a task with a reason and shows the run', async () => {
      const answer = await post('/admin/tasks/create-partitions/run', { reason: 'by <b>hand</b>' }, { cookie });

      expect([answer.status, answer.headers.get('location')]).toEqual([
        303,
        expect.stringMatching(/^\/admin\/runs\/\d+\?done=run$/),
      ]);
      const page = await (await fetch(app.url + answer.headers.get('location')!, { headers: { cookie } })).text();
      expect(page).toContain('Run queued.');
      expect(page).toContain('queued');
      const [event] = await app.db.query<{ details: { reason: string } }>(
        'superuser',
        `SELECT details FROM security_logs WHERE details->>'reason' LIKE 'run task create-partitions%'`,
      );
      expect(event?.details.reason).toBe('run task create-partitions: by <b>hand</b>');
    });

    it('pauses and resumes', async () => {
      await post('/admin/tasks/purge-expired/pause', { reason: 'maintenance' }, { cookie });
      expect(await (await fetch(`${app.url}/admin`, { headers: { cookie } })).text()).toContain(
        'href="/admin/tasks/purge-expired/resume"',
      );

      await post('/admin/tasks/purge-expired/resume', { reason: 'done' }, { cookie });
      expect(await (await fetch(`${app.url}/admin`, { headers: { cookie } })).text()).not.toContain(
        '/purge-expired/resume',
      );
    });

    it.each([
      ['/admin/tasks/create-partitions/run', {}, 400],
      ['/admin/tasks/nothing/run', { reason: 'x' }, 404],
      ['/admin/runs/999999/retry', { reason: 'x' }, 404],
      ['/admin/runs/x/retry', { reason: 'x' }, 400],
    ])('answers %s with an error page', async (path, form, status) => {
      const answer = await post(path, form, { cookie });

      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toContain('text/html');
      expect(await answer.text()).toContain('Back to the dashboard');
    });

    it('escapes the error of a run', async () => {
      await app.db.query(
        'superuser',
        `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, attempts, error)
         VALUES ('purge-expired', 'boot', 'failed', now(), now(), 1, '<img src=x onerror=alert(1)>')`,
      );

      const page = await (await fetch(`${app.url}/admin`, { headers: { cookie } })).text();

      expect(page).not.toContain('<img');
      expect(page).toContain('failed and not succeeded since: purge-expired');
      const [, run] = /href="\/admin\/runs\/(\d+)">Runs</.exec(page) ?? [];
      const runPage = await (await fetch(`${app.url}/admin/runs/${run}`, { headers: { cookie } })).text();
      expect(runPage).toContain(`href="/admin/runs/${run}/retry"`);
      expect(runPage).not.toContain('<img');
    });

    it('shows the queue in bull-board, read only and without other data of an entry', async () => {
      const queue = app.get(TaskQueue).bull;
      await queue.add('purge-expired', { runId: 7, secret: 'hunter2' } as never, { delay: 3_600_000 });

      const page = await fetch(`${app.url}/admin/queues`, { headers: { cookie } });
      expect(page.status).toBe(200);
      expect(page.headers.get('content-security-policy')).toContain("base-uri 'self'");
      expect((await fetch(`${app.url}/admin/queues/queue/tasks?status=delayed`, { headers: { cookie } })).status).toBe(
        200,
      );
      const list = await fetch(`${app.url}/admin/queues/api/queues?activeQueue=tasks&status=delayed`, {
        headers: { cookie },
      });
      const text = await list.text();
      expect(list.status).toBe(200);
      expect(text).toContain('"runId":7');
      expect(text).not.toContain('hunter2');

      const pause = await fetch(`${app.url}/admin/queues/api/queues/tasks/pause`, {
        method: 'PUT',
        headers: { cookie, 'sec-fetch-site': 'same-origin' },
      });
      expect(pause.status).toBeGreaterThanOrEqual(400);
      await expect(queue.isPaused()).resolves.toBe(false);
    });

    it('refuses a form larger than the limit of bodies', async () => {
      const answer = await post('/admin/sign-in', {
        email: 'x'.repeat(app.get(Config).limits.bodyBytes),
        password: 'x',
      });
      expect(answer.status).toBe(413);
    });
  });
});
