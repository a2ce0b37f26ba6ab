import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { createAccount, signInToDashboard, rawRequest } from '../support/dashboard-client';
import { EmailOutboxService } from '../../src/platform/mail/mailer.service';
import { startApp, type TestApp } from '../support/test-app';
import { readEvents, type EventsRequest, type ServerEvent } from '../support/server-sent-events';
import { waitFor } from '../support/wait-for';

describe('/admin/events', () => {
  let app: TestApp;
  let admin: Awaited<ReturnType<typeof createAccount>>;
  let cookie: string;

  beforeAll(async () => {
    app = await startApp();
    admin = await createAccount(app, 'admin');
    cookie = await signInToDashboard(app, admin);
  });

  afterAll(() => app.close());

  function watch(
    view: string,
    { cookie: requestCookie = cookie, ...request }: Pick<EventsRequest, 'take' | 'onEvent'> & { cookie?: string } = {},
  ): Promise<{ status: number; events: ServerEvent[] }> {
    return readEvents(`${app.url}/admin/events?view=${view}`, {
      token: '',
      headers: { cookie: requestCookie },
      ...request,
    });
  }

  async function insertRun(outcome = 'queued', task = 'purge-expired'): Promise<number> {
    const [run] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome) VALUES ($2, 'boot', $1) RETURNING id`,
      [outcome, task],
    );
    return run!.id;
  }

  it('shows a run changing as it does', async () => {
    const id = await insertRun();
    const changes = [
      `UPDATE task_runs SET outcome = 'running', started_at = now(), lease_until = now() + interval '1 hour',
         attempts = 1 WHERE id = $1`,
      `UPDATE task_runs SET outcome = 'failed', ended_at = now(), lease_until = NULL, error = '<b>no</b>'
       WHERE id = $1`,
    ];

    const { status, events } = await watch(`run:${id}`, {
      take: 3,
      onEvent: (_, index) => changes[index] && app.db.query('superuser', changes[index], [id]),
    });

    expect(status).toBe(200);
    const states = events.map(({ event, data }) => [event, /class="tag \w+">([\w ]+)</.exec(data.run as string)?.[1]]);
    expect(states).toEqual([
      ['parts', 'queued'],
      ['parts', 'running'],
      ['parts', 'failed'],
    ]);
    expect(events[2]!.data.run).toContain('&lt;b>no&lt;/b>');
    expect(events[2]!.data.run).toContain(`/admin/runs/${id}/retry`);
  });

  it('sends the overview in parts, and only those that change', async () => {
    const pause = `INSERT INTO task_settings (task, paused) VALUES ('watch-access', true)`;

    const { events } = await watch('overview', {
      take: 2,
      onEvent: (_, index) => index === 0 && app.db.query('superuser', pause),
    });

    expect(Object.keys(events[0]!.data as object)).toEqual(['banner', 'statuses', 'tasks', 'queue', 'runs']);
    expect(Object.keys(events[1]!.data as object)).toEqual(['banner', 'statuses', 'tasks']);
    expect(events[1]!.data.tasks).toContain('href="/admin/tasks/watch-access/resume"');
  });

  it('offers the next rotation of the keys as soon as the last one has finished', async () => {
    await app.db.query('superuser', `INSERT INTO key_rotations (key_id, promoted_at) VALUES ('test', now())`);
    const page = await rawRequest(app, '/admin/keys', { cookie });
    expect(page.body).toMatch(/<div data-live="progress">(?:(?!<\/div>)[^])*href="\/admin\/keys\/rotate">Continue</);

    const { events } = await watch('keys', {
      take: 2,
      onEvent: (_, index) => index === 0 && app.db.query('superuser', 'UPDATE key_rotations SET finished_at = now()'),
    });

    expect(events[0]!.data.progress).toContain('href="/admin/keys/rotate">Continue<');
    expect(events[1]!.data.progress).toMatch(/finished[^]*href="\/admin\/keys\/rotate">Rotate</);
  });

  it('sends an email of the local outbox as soon as it is stored', async () => {
    const email = { to: 'reader@example.com', subject: 'Just now', text: 'Hello' };
    const { events } = await watch('mail', {
      take: 2,
      onEvent: (_, index) =>
        index === 0 && app.get(EmailOutboxService).enqueue(email, { isDecoy: false, isLocal: true }),
    });

    expect(events[0]!.data.emails).not.toContain('Just now');
    expect(events[1]!.data.emails).toContain('Just now');
  });

  it('logs one security event per stream', async () => {
    await watch('task:sync-connections', { take: 3, onEvent: () => insertRun('queued', 'sync-connections') });

    const events = await app.db.query(
      'superuser',
      `SELECT 1 FROM security_logs WHERE details->>'reason' = 'watch the dashboard: task:sync-connections'`,
    );
    expect(events).toHaveLength(1);
  });

  it('ends with the session', async () => {
    const ownCookie = await signInToDashboard(app, admin);
    const [userId, sessionId] = ownCookie.replace('gigvault_admin=', '').split('.');

    const { events } = await watch('overview', {
      cookie: ownCookie,
      onEvent: (_, index) => index === 0 && app.get(SessionsService).end(Number(userId), sessionId!),
    });

    expect(events.map(({ event }) => event)).toEqual(['parts', 'end']);
  });

  it('refuses unknown views, and more streams than the limit of a session', async () => {
    expect((await rawRequest(app, '/admin/events?view=nothing', { cookie })).status).toBe(404);
    expect((await rawRequest(app, '/admin/events?view=run:x', { cookie })).status).toBe(404);
    expect((await rawRequest(app, '/admin/events?view=overview', { cookie }, 'HEAD')).status).toBe(405);
    const ownCookie = await signInToDashboard(app, admin);
    const abort = new AbortController();
    const open = await Promise.all(
      Array.from({ length: 7 }, () =>
        fetch(`${app.url}/admin/events?view=task:watch-access`, {
          headers: { cookie: ownCookie },
          signal: abort.signal,
        }),
      ),
    );
    expect(open.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 429]);
    abort.abort();
    await waitFor('a page may be opened again', async () => {
      const { status } = await watch('task:watch-access', { take: 1, cookie: ownCookie });
      return status === 200;
    });
  });
});
