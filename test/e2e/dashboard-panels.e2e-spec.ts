import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { EmailOutboxService } from '../../src/platform/mail/mailer.service';
import { createAccount, signInToDashboard, postForm } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { waitFor } from '../support/wait-for';

describe('the panels of /admin', () => {
  const backups = mkdtempSync(join(tmpdir(), 'gigvault-backups-'));
  let app: TestApp;
  let cookie: string;

  beforeAll(async () => {
    app = await startApp({ settings: { BACKUP_DIR: backups } });
    cookie = await signInToDashboard(app, await createAccount(app, 'admin', 'admin@example.com'));
  });

  afterAll(async () => {
    await app.close();
    rmSync(backups, { recursive: true });
  });

  async function page(path: string): Promise<string> {
    const answer = await fetch(app.url + path, { headers: { cookie, accept: 'text/html' } });
    const text = await answer.text();
    expect([path, answer.status]).toEqual([path, 200]);
    return text;
  }

  async function performAction(path: string, reason = 'a test'): Promise<string> {
    expect(await page(path)).toContain(`action="${path}"`);
    const answer = await postForm(app, path, { reason, password: 'seven green umbrellas' }, { cookie });
    expect([path, answer.status]).toEqual([path, 303]);
    return answer.headers.get('location')!;
  }

  it('show database metrics and each month of the partitions', async () => {
    const database = await page('/admin/database');
    for (const text of [
      'of pages found in memory',
      'Slow statements',
      'gigvault_monitor',
      'security_logs',
      'user_job_stats',
    ])
      expect(database).toContain(text);

    const partitions = await page('/admin/partitions');
    const year = new Date().getUTCFullYear();
    expect(partitions).toContain(`title="${year}-12: has a partition"`);
    expect(partitions).toContain(`title="${year + 3}-01: rows go to the default partition"`);
    expect(partitions).toContain('month-covered now');
  });

  it('report a missing default partition wherever partitions are shown', async () => {
    await app.db.query('superuser', 'ALTER TABLE analytics_default RENAME TO elsewhere');
    const pages = [await page('/admin'), await page('/admin/partitions'), await page('/admin/database')];
    await app.db.query('superuser', 'ALTER TABLE elsewhere RENAME TO analytics_default');

    expect(pages[0]).toContain('analytics has no default partition');
    expect(pages[1]).toContain('no default partition');
    expect(pages[2]).toContain('<h1');
  });

  it('show the emails of the local outbox, newest first, and one with clickable links', async () => {
    const outbox = app.get(EmailOutboxService);
    const text =
      'Hello <b>you</b>,\n\nopen https://example.com/verify?a=1&b=2. It works (see http://localhost:3000/x).';
    for (const subject of ['The first', 'A <second>'])
      await outbox.enqueue({ to: 'reader@example.com', subject, text }, { isDecoy: false, isLocal: true });

    const list = await page('/admin/mail');
    const [, id = ''] = /href="\/admin\/mail\/(\d+)">A &lt;second></.exec(list) ?? [];
    const email = await page(`/admin/mail/${id}`);

    expect(list).toMatch(/A &lt;second>[^]*reader@example\.com[^]*The first/);
    expect(await page('/admin')).toContain('href="/admin/mail"');
    expect(email).toContain('Hello &lt;b>you&lt;/b>');
    expect(email.match(/<a href="http[^>]*>[^<]*<\/a>/g)).toEqual([
      '<a href="https://example.com/verify?a=1&amp;b=2" rel="noreferrer">https://example.com/verify?a=1&amp;b=2</a>',
      '<a href="http://localhost:3000/x" rel="noreferrer">http://localhost:3000/x</a>',
    ]);
    expect((await fetch(`${app.url}/admin/mail/999999`, { headers: { cookie } })).status).toBe(404);
  });

  it('find a user, change their status and role, end their sessions, and log each reason', async () => {
    const user = await createAccount(app, 'user', 'odd+name@example.com');
    expect(await page('/admin/users?q=odd%2Bname')).toContain('odd+name@example.com');
    expect(await page('/admin/users?q=%3Cscript%3Enobody')).toContain('No user matches the search.');
    expect(await page(`/admin/users/${user.id}`)).toContain('a test');

    expect(await performAction(`/admin/users/${user.id}/deactivate`, 'stolen laptop')).toBe(
      `/admin/users/${user.id}?done=deactivate`,
    );
    expect(await page(`/admin/users/${user.id}?done=deactivate`)).toMatch(
      /The user is deactivated\.[^]*deactivated[^]*No sessions\./,
    );
    await performAction(`/admin/users/${user.id}/activate`);
    await performAction(`/admin/users/${user.id}/make-admin`);
    expect(await page(`/admin/users/${user.id}`)).toContain('Remove the admin role');
    await performAction(`/admin/users/${user.id}/remove-admin`);
    expect(await page(`/admin/users/${user.id}`)).toContain('Make admin');
    await performAction(`/admin/users/${user.id}/end-sessions`);
    expect(await app.get(SessionsService).list(user.id)).toEqual([]);

    const events = await app.db.query<{ reason: string }>(
      'superuser',
      `SELECT details->>'reason' AS reason FROM security_logs
       WHERE details->>'reason' LIKE '%user ${user.id}:%' ORDER BY id`,
    );
    expect(events.map(({ reason }) => reason)).toEqual([
      `change user ${user.id}: stolen laptop`,
      ...Array<string>(3).fill(`change user ${user.id}: a test`),
      `end the sessions of user ${user.id}: a test`,
    ]);
  });

  it('show open alerts until they are dismissed', async () => {
    const [alert] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO access_alerts (kind, event_id, ip_address, details)
       VALUES ('address_sweep', 1, '203.0.113.7', '{"failures": 40, "accounts": 12}') RETURNING id`,
    );
    expect(await page('/admin')).toContain('1 open alert about attacks');
    expect(await page('/admin/security')).toContain('40 sign-ins to 12 accounts failed');

    expect(await performAction(`/admin/alerts/${alert!.id}/dismiss`)).toBe('/admin/security?done=dismiss');
    expect(await page('/admin/security')).toContain('No open alerts.');
  });

  it('describe the user in alerts, instead of addressing them', async () => {
    const user = await createAccount(app, 'user');
    const ids = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO access_alerts (kind, user_id, event_id, ip_address, details) VALUES
      ('failure_burst', $1, 2, '203.0.113.7', '{"failures": 15, "addresses": 1}'),
      ('new_device', $1, 3, '203.0.113.7', '{"device": "Firefox"}'),
      ('far_addresses', $1, 4, '203.0.113.7', '{"otherAddress": "198.51.100.1"}') RETURNING id`,
      [user.id],
    );

    const security = await page('/admin/security');
    expect(security).toContain('15 sign-ins to the account of this user failed within minutes, from 1 address.');
    expect(security).toContain('signed in to the account of this user: Firefox');
    expect(security).not.toMatch(/\byour (account|password|other)|If it was you|DELETE \/v1/);
    expect(await page('/admin')).toMatch(/1 open alert about attacks|2 open alerts about attacks/);
    await app.db.query('superuser', 'DELETE FROM access_alerts WHERE id = ANY ($1)', [ids.map(({ id }) => id)]);
  });

  it('show security events by type and user, page by page', async () => {
    const user = await createAccount(app, 'user');
    await app.db.query(
      'superuser',
      `INSERT INTO security_logs (user_id, event_type, success, details, created_at)
      SELECT $1, 'auth.paged', n % 2 = 0, jsonb_build_object('reason', 'event number ' || n),
        now() - n * interval '1 second' FROM generate_series(1, 60) n`,
      [user.id],
    );
    const rows = (text: string): string[] => text.match(/event number \d+/g) ?? [];
    const older = (text: string): string =>
      /href="([^"]+)">Older events</.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';

    const first = await page(`/admin/security?type=auth.paged&user=${user.id}`);
    const second = await page(older(first));
    expect([rows(first).length, rows(second).length, new Set([...rows(first), ...rows(second)]).size]).toEqual([
      50, 10, 60,
    ]);
    expect(older(second)).toBe('');
    expect(second).toContain('Newest events');
    expect(rows(await page(`/admin/security?type=auth.paged&user=${user.id}&show=failed`))).toHaveLength(30);
    expect(await page(`/admin/security?type=auth.none&user=${user.id}`)).toContain('No event matches these filters.');
    expect(rows(await page(`/admin/security?type=auth.paged&user=${user.id + 1_000}`))).toHaveLength(0);
  });

  it('show the keys with their uses, and rotate them', async () => {
    expect(await page('/admin/keys')).toMatch(/<code>test<\/code>[^]*current/);
    expect(await performAction('/admin/keys/rotate')).toBe('/admin/keys?done=rotate');
    expect(await page('/admin/keys')).toMatch(/to <code>test<\/code>[^]*waiting until every process has the key/);
  });

  it('report whether the file of a backup exists', async () => {
    const name = 'gigvault-20260131T021200Z-1.backup';
    await app.db.query(
      'superuser',
      `INSERT INTO backups (status, started_by, store, file_name, size_bytes, sha256, verified_at)
      VALUES ('verified', 'schedule', 'folder', $1, 5, repeat('0', 64), now())`,
      [name],
    );

    const withoutFile = [await page('/admin'), await page('/admin/backups')];
    writeFileSync(join(backups, name), '12345');
    await waitFor('the status is updated', async () =>
      /Backups<\/b> <span class="tag good">/.test(await page('/admin')),
    );
    const withFile = await page('/admin/backups');
    writeFileSync(join(backups, name), '123');
    await waitFor('the truncated file is noticed', async () =>
      (await page('/admin')).includes('has 3 bytes instead of 5'),
    );

    expect(withoutFile[0]).toMatch(/Backups<\/b> <span class="tag bad">Failing/);
    expect(withoutFile[0]).toContain(`(${name}) is not in the store`);
    expect(withoutFile[1]).toMatch(/<strong>0<\/strong> <span class="muted">verified, with a file[^]*file missing/);
    expect(withFile).toMatch(/<strong>1<\/strong> <span class="muted">verified, with a file/);
    expect(withFile).not.toContain('file missing');
  });

  it('show a partial failure, also on the overview, and retry it', async () => {
    const [run] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, attempts, figures) VALUES
      ('deliver-alerts', 'boot', 'partial', now(), now(), 1, '{"due": 1, "failed": 1, "delivered": 0}') RETURNING id`,
    );

    const overview = await page('/admin');
    expect(overview).toMatch(/Runs<\/b> <span class="tag (warn|bad)">/);
    expect(overview).toMatch(/run \d+ of deliver-alerts failed in part \(1 failed\)/);
    expect(overview).not.toContain('All is well.');
    expect(overview).toMatch(/Upwork connections<\/b>[^]*Webhooks and mail<\/b>/);
    expect(await page('/admin/runs?outcome=partial')).toContain('<span class="tag warn">partial</span>');

    expect(await page(`/admin/runs/${run!.id}`)).toContain(`href="/admin/runs/${run!.id}/retry"`);
    const retry = /^\/admin\/runs\/(\d+)\?done=retry$/.exec(await performAction(`/admin/runs/${run!.id}/retry`))![1];
    expect(await page(`/admin/runs/${run!.id}`)).toContain(`Retried as <a href="/admin/runs/${retry}">`);
    await app.db.query('superuser', 'DELETE FROM task_runs WHERE id IN ($1, $2)', [run!.id, retry]);
  });

  it('show every attempt of a failed run with its error, and the start of the first', async () => {
    const attempts = [1, 2].map((n) => ({
      attempt: n,
      startedAt: `2026-01-31T09:30:0${n}.000Z`,
      endedAt: `2026-01-31T09:30:0${n}.500Z`,
      error: `<b>broken ${n}</b>`,
    }));
    const [run] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, attempts, error, failed_attempts)
      VALUES ('backup', 'boot', 'failed', '2026-01-31T09:30:02Z', '2026-01-31T09:30:02.5Z', 2, '<b>broken 2</b>', $1)
      RETURNING id`,
      [JSON.stringify(attempts)],
    );

    const text = await page(`/admin/runs/${run!.id}`);
    expect(text).toMatch(/Started<\/dt>\s*<dd><time datetime="2026-01-31T09:30:01.000Z"/);
    for (const n of [1, 2]) expect(text).toContain(`&lt;b>broken ${n}&lt;/b>`);
    await app.db.query('superuser', 'DELETE FROM task_runs WHERE id = $1', [run!.id]);
  });

  it('search the history of runs', async () => {
    await app.db.query(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, attempts, figures) VALUES
      ('watch-access', 'boot', 'skipped', now(), now(), 1, '{"reason": "nothing new"}'),
      ('watch-access', 'boot', 'succeeded', now(), now(), 1, '{"alerts": 3}')`,
    );

    const all = await page('/admin/runs?task=watch-access');
    expect(all).toContain('alerts: 3');
    expect(all).not.toContain('nothing new');
    expect(all).toContain('aria-label="Runs of the last 24 hours: 1 succeeded, 0 partial, 1 skipped, 0 failed"');
    expect(await page('/admin/runs?outcome=skipped')).toContain('reason: nothing new');
    await page('/admin/runs?task=%27%3B--&outcome=x&before=1e9');

    const matching = await page('/admin/runs?text=ALERTS');
    expect(matching).toContain('alerts: 3');
    expect(matching).toContain('value="ALERTS"');
    expect(await page('/admin/runs?text=%25')).toContain('No run matches these filters.');
    const [, id] = /href="\/admin\/runs\/(\d+)"/.exec(matching)!;
    expect(await page(`/admin/runs?text=${id}`)).toContain('alerts: 3');
  });

  it('retry all full and partial failures without a later success: one run per task, a logged reason', async () => {
    await app.db.query(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, attempts, error) VALUES
      ('sync-connections', 'boot', 'failed', now(), now(), 1, 'first'),
      ('sync-connections', 'boot', 'timed_out', now(), now(), 1, 'second'),
      ('create-partitions', 'boot', 'failed', now(), now(), 1, 'no lock'),
      ('create-partitions', 'boot', 'skipped', now(), now(), 1, NULL),
      ('refresh-connections', 'boot', 'failed', now(), now(), 1, 'resolved since'),
      ('refresh-connections', 'boot', 'succeeded', now(), now(), 1, NULL),
      ('gone-since', 'boot', 'failed', now(), now(), 1, 'unknown task'),
      ('deliver-alerts', 'boot', 'failed', now(), now(), 1, 'ran since'),
      ('deliver-alerts', 'boot', 'partial', now(), now(), 1, NULL),
      ('send-mails', 'boot', 'partial', now(), now(), 1, NULL),
      ('send-mails', 'boot', 'succeeded', now(), now(), 1, NULL),
      ('watch-access', 'boot', 'partial', now() - interval '25 hours', now() - interval '25 hours', 1, NULL)`,
    );
    expect(await page('/admin/runs')).toContain('Retry all failed runs (3)');

    expect(await performAction('/admin/runs/retry-all', 'the network is back')).toBe('/admin/runs?done=retry-all');

    const retries = await app.db.query(
      'superuser',
      `SELECT r.task, f.outcome, f.error FROM task_runs r JOIN task_runs f ON f.id = r.retry_of ORDER BY 1`,
    );
    expect(retries).toEqual([
      { task: 'create-partitions', outcome: 'failed', error: 'no lock' },
      { task: 'deliver-alerts', outcome: 'partial', error: null },
      { task: 'sync-connections', outcome: 'timed_out', error: 'second' },
    ]);
    // A skipped retry resolves a partial failure, but not a full one.
    await app.db.query(
      'superuser',
      `UPDATE task_runs SET outcome = 'skipped', started_at = now(), ended_at = now(), attempts = 1
       WHERE task = 'deliver-alerts' AND retry_of IS NOT NULL`,
    );
    expect(await page('/admin/runs')).not.toContain('Retry all failed runs');
    await app.db.query(
      'superuser',
      `DELETE FROM task_runs WHERE task IN ('deliver-alerts', 'send-mails', 'watch-access')`,
    );
    const [{ count } = { count: 0 }] = await app.db.query<{ count: number }>(
      'superuser',
      `SELECT count(*) FROM security_logs WHERE details->>'reason' LIKE 'retry run %: the network is back'`,
    );
    expect(count).toBe(3);
  });

  it('load nothing from other sites, the queue included', async () => {
    for (const path of ['/admin', '/admin/database', '/admin/users', '/admin/queues']) {
      expect([path, /(?:src|href)="(?:https?:)?\/\//.exec(await page(path))]).toEqual([path, null]);
    }
  });
});
