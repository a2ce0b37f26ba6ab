import { Logger } from '@nestjs/common';
import { MailerService, EmailOutboxService } from '../../src/platform/mail/mailer.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller } from '../support/accounts';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { SmtpSink } from '../support/smtp-sink';

interface Record {
  readonly status: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly sealed_email: string | null;
}

const TEXT = 'A line.\n.a line with a dot\n..and two\n.\nThe end.';

describe('emails', () => {
  const sink = new SmtpSink();
  let app: TestApp;
  let worker: ManualWorker;

  beforeAll(async () => {
    await sink.start();
    app = await startApp({
      runsTasks: true,
      settings: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'silent',
        SMTP_URL: sink.url,
        PASSWORD_HASH_COST: '10',
        PUBLIC_URL: 'https://api.example.com',
      },
    });
    worker = await createManualWorker(app);
  });
  beforeEach(async () => {
    sink.accepted.splice(0);
    sink.atRecipient.clear();
    sink.atData.clear();
    sink.atGreeting = undefined;
    await app.db.query('superuser', `DELETE FROM email_outbox`);
    await app.db.query('superuser', `DELETE FROM task_runs`);
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
    await sink.stop();
  });

  const run = (): Promise<void> => worker.runTask('send-mails');
  const send = (to: string, validForSeconds?: number): Promise<void> =>
    app.get(MailerService).send({ to, subject: 'A subject', text: TEXT, validForSeconds });
  const records = (): Promise<Record[]> =>
    app.db.query<Record>('superuser', `SELECT status, attempts, error, sealed_email FROM email_outbox ORDER BY id`);
  const failures = (): Promise<{ details: object }[]> =>
    app.db.query(
      'superuser',
      `SELECT details FROM security_logs WHERE event_type = 'mail.failed' ORDER BY id DESC LIMIT 1`,
    );
  /** Ends the pause of every email. */
  const endPauses = (): Promise<unknown> =>
    app.db.query('superuser', `UPDATE email_outbox SET next_at = now() WHERE status = 'pending'`);

  it('are stored encrypted, sent by the task, and kept without their content', async () => {
    await createAnonymousCaller(app).post('/v1/auth/register', {
      email: 'ann@example.com',
      password: 'seven green umbrellas',
    });
    const [stored] = await records();
    const [asked] = await app.db.query('superuser', `SELECT outcome FROM task_runs WHERE task = 'send-mails'`);
    await run();

    expect(stored).toMatchObject({ status: 'pending', attempts: 0 });
    expect(stored?.sealed_email).toMatch(/^v1\./);
    expect(asked).toEqual({ outcome: 'queued' });
    expect(sink.accepted.map(({ to }) => to)).toEqual([['ann@example.com']]);
    expect(sink.accepted[0]?.data).toContain('https://api.example.com/verify-email?token=');
    expect(await records()).toEqual([{ status: 'sent', attempts: 1, error: null, sealed_email: null }]);
    await run();
    expect(sink.accepted).toHaveLength(1);
  });

  it('arrive unchanged, dots included', async () => {
    await send('ann@example.com');
    await run();

    expect(sink.accepted[0]?.data.split('\r\n\r\n')[1]?.trimEnd()).toBe(TEXT.replaceAll('\n', '\r\n'));
  });

  it('survive an outage of the mail server, and are sent afterwards', async () => {
    sink.takeDown();
    await send('ann@example.com');
    await run();
    const meanwhile = await records();
    sink.isDown = false;
    await run();
    const beforePause = sink.accepted.length;
    await endPauses();
    await run();

    expect(meanwhile).toEqual([expect.objectContaining({ status: 'pending', attempts: 1, error: 'ESOCKET' })]);
    expect(beforePause).toBe(0);
    expect(sink.accepted).toHaveLength(1);
    expect(await records()).toEqual([expect.objectContaining({ status: 'sent', attempts: 2, error: null })]);
  });

  it.each([
    ['421 at the greeting', () => (sink.atGreeting = '421 Try later')],
    ['554 at the greeting', () => (sink.atGreeting = '554 Not today')],
    ['450 to the recipient', () => sink.atRecipient.set('ann@example.com', '450 Mailbox busy')],
    ['452 to the message', () => sink.atData.set('ann@example.com', '452 Disk full')],
    ['a dropped connection', () => sink.atData.set('ann@example.com', 'drop')],
    ['a reply that is not SMTP', () => (sink.atGreeting = 'HTTP/1.1 400 Bad Request')],
  ])('are retried after %s', async (_, misbehave) => {
    misbehave();
    await send('ann@example.com');
    await run();

    expect(await records()).toEqual([
      expect.objectContaining({
        status: 'pending',
        attempts: 1,
        error: expect.any(String),
        sealed_email: expect.any(String),
      }),
    ]);
  });

  it.each([
    [
      '550 to the recipient',
      'EENVELOPE 550',
      () => sink.atRecipient.set('ann@example.com', '550 No such user ann@example.com'),
    ],
    ['554 to the message', 'EMESSAGE 554', () => sink.atData.set('ann@example.com', '554 Refused')],
  ])('fail at once after %s, with an event without the address', async (_, code, misbehave) => {
    misbehave();
    await send('ann@example.com');
    await run();
    await endPauses();
    await run();

    expect(await records()).toEqual([{ status: 'failed', attempts: 1, error: code, sealed_email: null }]);
    expect(await failures()).toEqual([{ details: { mail: expect.any(Number), code } }]);
  });

  it('fail when their link has expired, tried or not', async () => {
    sink.takeDown();
    await send('tried@example.com', 1);
    await run();
    await send('waiting@example.com', 60);
    await app.db.query('superuser', `UPDATE email_outbox SET expires_at = now() WHERE status = 'pending'`);
    await run();
    sink.isDown = false;

    expect((await records()).map(({ status, sealed_email }) => [status, sealed_email])).toEqual([
      ['failed', null],
      ['failed', null],
    ]);
  });

  it('of others are sent while one is rejected, one is unreadable, and one server hangs', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation();
    sink.atRecipient.set('refused@example.com', '550 No');
    for (const n of [1, 2, 3]) {
      sink.atRecipient.set(`slow${n}@slow.example`, 'hang');
      await send(`slow${n}@slow.example`);
    }
    await send('refused@example.com');
    await send('broken@example.net');
    await app.db.query(
      'superuser',
      `UPDATE email_outbox SET seal_key = gen_random_uuid() WHERE id = (SELECT max(id) FROM email_outbox)`,
    );
    for (const n of [1, 2, 3]) await send(`ann@example${n}.com`);
    const before = sink.connections;

    const slowRun = run();
    await sink.waitForConnections(before + 6);
    while (sink.accepted.length < 3) await new Promise(setImmediate);
    const leases = await app.db.query(
      'superuser',
      `SELECT id FROM email_outbox
       WHERE lease_until > now() AND domain_hash = (SELECT domain_hash FROM email_outbox ORDER BY id LIMIT 1)`,
    );
    sink.takeDown();
    await slowRun.catch(() => undefined);
    sink.isDown = false;

    expect(sink.accepted.map(({ to: [to] }) => to).sort()).toEqual([
      'ann@example1.com',
      'ann@example2.com',
      'ann@example3.com',
    ]);
    expect(leases).toHaveLength(2);
    expect((await records()).map(({ status }) => status)).toEqual([
      'pending',
      'pending',
      'pending',
      'failed',
      'pending',
      'sent',
      'sent',
      'sent',
    ]);
  });

  it('are sent once by concurrent workers, and again by another when one dies', async () => {
    await send('ann@example.com');
    const dying = app.get(EmailOutboxService).sendNext(() => new Promise(() => undefined));
    const other = await app.get(EmailOutboxService).sendNext(() => Promise.resolve(undefined));
    while ((await records())[0]?.attempts === 0);
    await app.db.query('superuser', `UPDATE email_outbox SET lease_until = now() - interval '1 second'`);
    await run();

    expect(other === undefined || other === 'sent').toBe(true);
    expect(sink.accepted.length + (other === 'sent' ? 1 : 0)).toBe(1);
    void dying;
  });

  it('of addresses without an account are not stored, but request a run too', async () => {
    await app
      .get(MailerService)
      .send({ to: 'nobody@example.com', subject: 'A subject', text: TEXT }, { isDecoy: true });

    expect(await records()).toEqual([]);
    expect(await app.db.query('superuser', `SELECT outcome FROM task_runs WHERE task = 'send-mails'`)).toEqual([
      { outcome: 'queued' },
    ]);
  });

  it('leave records for 30 days', async () => {
    const admin = await createSignedInCaller(app, { role: 'admin' });
    // In production an admin without a second factor gets 403.
    await app.get(SessionsService).markMfa(admin.id, true);
    await send('ann@example.com');
    await run();
    await app.db.query('superuser', `UPDATE email_outbox SET ended_at = now() - interval '31 days'`);

    expect(await app.db.query('worker', `SELECT app.purge_email_outbox() AS gone`)).toEqual([{ gone: 1 }]);
    expect((await admin.get('/v1/dev/outbox')).status).toBe(404);
  });
});
