import { Config } from '../../../src/platform/config/config';
import { runInContext } from '../../../src/platform/context/request-context';
import { SystemDatabase } from '../../../src/platform/database/system-database';
import type { Email } from '../../../src/platform/mail/email';
import { type MailerService } from '../../../src/platform/mail/mailer.service';
import { type ScheduledTask, TaskRegistry } from '../../../src/platform/scheduler/scheduled-task';
import { MissedRunMonitor } from '../../../src/platform/task-alerts/missed-run-monitor';
import { startApp, type TestApp } from '../../support/test-app';
import { createSignedInCaller } from '../../support/accounts';

const MINUTE = 60_000;

const TASK: ScheduledTask = {
  id: 'send-digests',
  description: 'Sends digests.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 10 * MINUTE,
  retries: 0,
  missedRunImpact: 'Nobody gets a digest.',
  run: () => Promise.resolve({}),
};

describe(MissedRunMonitor.name, () => {
  let app: TestApp;
  let emails: Email[];

  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    await createSignedInCaller(app, { role: 'admin', email: 'admin@example.com' });
    await createSignedInCaller(app, { email: 'user@example.com' });
    emails = [];
  });
  afterEach(() =>
    app.db.query(
      'superuser',
      'DELETE FROM users; DELETE FROM security_logs; TRUNCATE task_runs, task_alerts, task_settings',
    ),
  );
  afterAll(() => app.close());

  /** Creates the monitor of another process and returns its check. */
  const createMonitor = (task = TASK): ((laterMs?: number) => Promise<void>) => {
    const mailer = { send: (email: Email) => Promise.resolve(void emails.push(email)) } as MailerService;
    const monitor = new MissedRunMonitor(new TaskRegistry([task]), app.get(SystemDatabase), app.get(Config), mailer);
    const context = { requestId: 'test', ip: null, userAgent: null, operation: 'test', actorKind: 'task' as const };
    return (laterMs = 0) => runInContext(context, () => monitor.check(Date.now() + laterMs));
  };
  const alerts = (): Promise<{ kind: string; reason: string; isOver: boolean }[]> =>
    app.db.query('superuser', `SELECT kind, reason, cleared_at IS NOT NULL AS "isOver" FROM task_alerts ORDER BY id`);
  const events = async (): Promise<string[]> =>
    (
      await app.db.query<{ event_type: string }>(
        'superuser',
        `SELECT event_type FROM security_logs WHERE event_type LIKE 'task.%' ORDER BY id`,
      )
    ).map((row) => row.event_type);
  /** Inserts a run of the task that starts and ends at these offsets from now. */
  const insertRun = (outcome: string, startedSeconds: number, endedSeconds?: number): Promise<unknown> =>
    app.db.query(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, lease_until, error)
       VALUES ($1, 'boot', $2, now() + make_interval(secs => $3), now() + make_interval(secs => $4),
         CASE $2 WHEN 'running' THEN now() + interval '1 hour' END, CASE $2 WHEN 'failed' THEN 'no space left' END)`,
      [TASK.id, outcome, startedSeconds, endedSeconds ?? null],
    );

  it('runs in the API too, which has no login of the worker', () => {
    expect(app.get(MissedRunMonitor)).toBeInstanceOf(MissedRunMonitor);
  });

  it('reports a run that no worker takes once, and the recovery', async () => {
    const [check, checkOfAnother] = [createMonitor(), createMonitor()];
    await check(MINUTE);
    expect(await alerts()).toEqual([]);

    await Promise.all([check(4 * MINUTE), checkOfAnother(4 * MINUTE)]);
    await check(5 * MINUTE);
    // A process that has just started neither opens nor clears the alert.
    await createMonitor()(3 * MINUTE - 30_000);

    expect(await alerts()).toEqual([
      { kind: 'missed', reason: expect.stringMatching(/^was due at .* UTC and no worker took it$/), isOver: false },
    ]);
    expect(emails.map(({ to, subject }) => [to, subject])).toEqual([
      ['admin@example.com', 'The task send-digests does not run'],
    ]);
    expect(emails[0]!.text).toContain('Nobody gets a digest.');
    await insertRun('succeeded', 6 * 60, 6 * 60 + 1);
    await check(6 * MINUTE);
    expect(await alerts()).toEqual([expect.objectContaining({ isOver: true })]);
    expect(await events()).toEqual(['task.missed', 'task.recovered']);
    expect(emails).toHaveLength(1);
  });

  it('does not report a paused task, nor runs missed during the pause', async () => {
    const check = createMonitor();
    await app.db.query('superuser', `INSERT INTO task_settings (task, paused) VALUES ($1, true)`, [TASK.id]);
    await check(5 * MINUTE);
    await app.db.query(
      'superuser',
      `UPDATE task_settings SET paused = false, updated_at = now() + interval '4 minutes'`,
    );
    await check(5 * MINUTE);

    expect(await alerts()).toEqual([]);
  });

  it('omits an unknown usual duration', async () => {
    const check = createMonitor();
    await insertRun('running', -700);
    await check();
    expect(await alerts()).toEqual([
      {
        kind: 'overlong',
        reason: expect.stringMatching(/^run \d+ has been running for \d+ s; limit 600 s$/),
        isOver: false,
      },
    ]);
  });

  it('reports a run that takes much longer than usual or exceeds its limit', async () => {
    for (let i = 0; i < 5; i += 1) await insertRun('succeeded', -3600 - i, -3580 - i);
    const check = createMonitor();
    await insertRun('running', -90);
    await check();
    expect(await alerts()).toEqual([]);

    await app.db.query(
      'superuser',
      `UPDATE task_runs SET started_at = now() - interval '110 seconds' WHERE outcome = 'running'`,
    );
    await check();
    expect(await alerts()).toEqual([
      {
        kind: 'overlong',
        reason: expect.stringMatching(/has been running for 11\d s; usual duration 20 s, limit 600 s$/),
        isOver: false,
      },
    ]);

    await app.db.query(
      'superuser',
      `UPDATE task_runs SET outcome = 'succeeded', ended_at = now(), lease_until = NULL WHERE outcome = 'running'`,
    );
    await check();
    expect(await alerts()).toEqual([expect.objectContaining({ isOver: true })]);
  });

  it('reports a finally failed run until one succeeds', async () => {
    const check = createMonitor();
    await insertRun('failed', -10, -9);
    await insertRun('skipped', -5, -5);
    await check();
    expect(await alerts()).toEqual([
      { kind: 'failed', reason: expect.stringMatching(/^run \d+ failed: no space left$/), isOver: false },
    ]);

    await insertRun('succeeded', -2, -1);
    await check();
    expect(await alerts()).toEqual([expect.objectContaining({ isOver: true })]);
    expect(await events()).toEqual(['task.failed', 'task.recovered']);
  });
});
