import { MailerService } from '../../src/platform/mail/mailer.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { listEmails } from '../support/emails';

const EMAIL = { to: 'Ann@example.com', subject: 'A subject like no other', text: 'Open this link: ?token=abcdef' };

describe('the email outbox', () => {
  let app: TestApp;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  beforeEach(() => app.db.query('superuser', `DELETE FROM email_outbox`));
  afterAll(() => app.close());

  it('lists emails to an address in any letter case for admins, newest first', async () => {
    await app.get(MailerService).send(EMAIL);
    await app.get(MailerService).send({ ...EMAIL, subject: 'Another' });
    await app.get(MailerService).send({ ...EMAIL, to: 'bob@example.com' });

    const emails = await listEmails(admin, 'ANN@example.com');

    expect(emails.map(({ subject }) => subject)).toEqual(['Another', EMAIL.subject]);
    expect(emails[1]).toEqual({ id: expect.any(Number), ...EMAIL, createdAt: expect.stringMatching(/^20.*Z$/) });
    expect((await admin.get('/v1/dev/outbox')).body.items).toHaveLength(3);
  });

  it('stores no word of an email in plain text', async () => {
    await app.get(MailerService).send(EMAIL);

    const [row] = await app.db.query<{ dump: string }>(
      'superuser',
      `SELECT string_agg(m::text, ' ') AS dump FROM email_outbox m`,
    );

    for (const word of ['Ann', 'ann@', 'subject', 'no other', 'link', 'token', 'abcdef'])
      expect(row?.dump).not.toContain(word);
  });

  it('does not decrypt an email whose row was changed', async () => {
    await app.get(MailerService).send({ ...EMAIL, to: 'moved@example.com' });
    await app.db.query(
      'superuser',
      `UPDATE email_outbox SET seal_key = gen_random_uuid() WHERE id = (SELECT max(id) FROM email_outbox)`,
    );

    expect((await admin.get('/v1/dev/outbox?to=moved@example.com')).status).toBe(500);
  });

  it('is closed to users and anonymous callers, and absent in production', async () => {
    const production = await startApp({
      sharedWith: app,
      settings: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'silent',
        SMTP_URL: 'smtp://127.0.0.1:9',
        PASSWORD_HASH_COST: '10',
      },
    });
    const there = await createSignedInCaller(production, { role: 'admin' });
    await production.get(SessionsService).markMfa(there.id, true);

    expect((await createAnonymousCaller(app).get('/v1/dev/outbox')).status).toBe(401);
    expect((await (await createSignedInCaller(app)).get('/v1/dev/outbox')).status).toBe(403);
    expect(await there.get('/v1/dev/outbox')).toMatchObject({ status: 404, body: { code: 'route.not_found' } });
    await production.close();
  });

  it('deletes emails older than a day', async () => {
    await app.get(MailerService).send({ ...EMAIL, to: 'old@example.com' });
    await app.db.query(
      'superuser',
      `UPDATE email_outbox SET created_at = now() - interval '25 hours' WHERE id = (SELECT max(id) FROM email_outbox)`,
    );

    const [row] = await app.db.query('worker', `SELECT app.purge_email_outbox() AS gone`);

    expect(row).toEqual({ gone: 1 });
    expect(await listEmails(admin, 'old@example.com')).toEqual([]);
  });

  it('does not list emails that wait for a mail server', async () => {
    const mailing = await startApp({ sharedWith: app, settings: { SMTP_URL: 'smtp://127.0.0.1:9' } });

    const answer = await createAnonymousCaller(mailing).post('/v1/auth/register', {
      email: 'smtp@example.com',
      password: 'seven green umbrellas',
    });
    await mailing.close();

    expect(answer.status).toBe(202);
    expect((await admin.get('/v1/dev/outbox')).body.items).toEqual([]);
    expect(await app.db.query('superuser', `SELECT status FROM email_outbox`)).toEqual([{ status: 'pending' }]);
  });
});
