import { randomUUID } from 'node:crypto';
import { FakeUpworkClient } from '../../src/demo/fake-upwork-client';
import { type Credentials, Authenticator, createUser, enableTotp, signInFrom } from './accounts';
import type { Caller } from './caller';
import { findToken, listEmails } from './emails';
import type { SwaggerForm } from './swagger-form';
import type { TestApp } from './test-app';
import type { ManualWorker } from './test-worker';
import { WebhookReceiver } from './webhook-receiver';

/** A person at Swagger UI, and what a preparation may use. */
export interface Visit {
  readonly app: TestApp;
  readonly worker: ManualWorker;
  /** An admin who reads the outbox in place of the person's mailbox. */
  readonly mailbox: Caller;
  readonly account: Credentials;
  readonly caller: Caller;
  readonly form: SwaggerForm;
}

/** What an example lacks on a new account. */
export interface Preparation {
  /** Why the example alone cannot succeed. */
  readonly why: string;
  /** Brings the missing part about, and returns the values that a person types into the form. */
  prepare(visit: Visit): Promise<Readonly<Record<string, string | number>>>;
}

const A_CODE = 'the code of an authenticator: filled in, it would turn on a second factor that nobody has';

/** Operations whose example alone is rejected on a new account. With the preparation they succeed. */
export const PREPARATIONS: Readonly<Record<string, Preparation>> = {
  'POST /v1/auth/verify-email': {
    why: 'the token shows that the person reads the address, so it is only in the email',
    prepare: async ({ form, mailbox }) => {
      const email = `${randomUUID()}@example.com`;
      await form.executeNamed('POST /v1/auth/register', { email });
      return { token: findToken((await listEmails(mailbox, email))[0]) };
    },
  },
  'POST /v1/auth/password/reset': {
    why: 'the token shows that the person reads the address, so it is only in the email',
    prepare: async ({ form, mailbox, account: { email } }) => {
      await form.executeNamed('POST /v1/auth/password/forgot', { email });
      return { token: findToken((await listEmails(mailbox, email))[0]) };
    },
  },
  'POST /v1/auth/login/mfa': {
    why: A_CODE,
    prepare: async ({ form, caller, account }) => {
      const { authenticator } = await enableTotp(caller, account);
      await form.executeNamed('POST /v1/auth/login', { email: account.email });
      return { code: authenticator.generateCode() };
    },
  },
  'POST /v1/auth/mfa/totp/confirm': {
    why: A_CODE,
    prepare: async ({ form }) => {
      const { body } = await form.executeNamed('POST /v1/auth/mfa/totp');
      return { code: new Authenticator(body.secret).generateCode(0) };
    },
  },
  'POST /v1/auth/mfa/totp/disable': { why: A_CODE, prepare: enableAndReadCode },
  'POST /v1/auth/mfa/backup-codes': { why: A_CODE, prepare: enableAndReadCode },
  'POST /v1/tokens/{id}/refresh': {
    why: 'Upwork accepts only a refresh token that it issued, after the person consented on its site',
    prepare: async ({ form, caller }) => {
      await caller.get(await consent(form));
      return {};
    },
  },
  'POST /v1/jobs/{id}/refresh': {
    why: 'the job has to be one that Upwork shows, after the person consented on its site',
    prepare: async ({ form, caller }) => {
      const { body } = await form.executeNamed('POST /v1/tokens/upwork/authorize');
      const site = (await FakeUpworkClient.detect(body.url))!;
      await caller.get(await site.consent(body.url));
      const posting = await site.publish({ title: 'A posting', description: '', skills: '' });
      const job = await caller.post('/v1/jobs', { title: 'A posting', upworkJobId: `~02${posting.id}` });
      return { id: String(job.body.id) };
    },
  },
  'GET /v1/tokens/upwork/callback': {
    why: 'Upwork adds the state and the code to the address, after the person consented on its site',
    prepare: async ({ form }) => Object.fromEntries(new URL(await consent(form), 'http://any').searchParams),
  },
  'GET /v1/conversations': {
    why: 'a synchronisation stores the rooms of a connection',
    prepare: async (visit) => {
      await createFailedReply(visit);
      return {};
    },
  },
  'GET /v1/conversations/{id}': {
    why: 'a synchronisation stores the rooms of a connection',
    prepare: async (visit) => ({ id: (await createFailedReply(visit)).conversationId }),
  },
  'GET /v1/audit/logs/{id}/proof': {
    why: 'a row is proved once the worker has sealed it',
    prepare: async ({ worker }) => {
      await worker.runTask('seal-audit-logs');
      return {};
    },
  },
  'GET /v1/audit/logs/export': {
    why: 'rows are exported once the worker has made the first seal',
    prepare: async ({ worker }) => {
      await worker.runTask('seal-audit-logs');
      return {};
    },
  },
  'GET /v1/admin/audit/export': {
    why: 'rows are exported once the worker has made the first seal',
    prepare: async ({ worker }) => {
      await worker.runTask('seal-audit-logs');
      return {};
    },
  },
  'POST /v1/audit/requests/{requestId}/undo': {
    why: 'the person undoes a request that they made',
    prepare: async ({ caller }) => {
      const requestId = randomUUID();
      await caller.post('/v1/jobs', { title: 'A mistake' }, { 'x-request-id': requestId });
      return { requestId };
    },
  },
  'POST /v1/jobs/{id}/restore': {
    why: 'the entry of the audit log must be about the record',
    prepare: (visit) => createVersion(visit, '/v1/jobs', 'jobs', { title: 'A job' }),
  },
  'POST /v1/templates/{id}/restore': {
    why: 'the entry of the audit log must be about the record',
    prepare: (visit) =>
      createVersion(visit, '/v1/templates', 'templates', { name: 'Short', type: 'proposal', body: 'Hello' }),
  },
  'POST /v1/saved-searches/{id}/restore': {
    why: 'the entry of the audit log must be about the record',
    prepare: (visit) =>
      createVersion(visit, '/v1/saved-searches', 'saved_searches', { name: 'Databases', query: 'postgresql' }),
  },
  'POST /v1/proposals/{id}/restore': {
    why: 'the entry of the audit log must be about the record',
    prepare: async (visit) => {
      const job = await visit.caller.post('/v1/jobs', { title: 'A job with a draft' });
      return createVersion(visit, '/v1/proposals', 'proposals', { jobId: job.body.id });
    },
  },
  'GET /v1/admin/audit/seals': {
    why: 'the worker makes a seal each minute',
    prepare: async ({ worker }) => {
      await worker.runTask('seal-audit-logs');
      return {};
    },
  },
  'GET /v1/admin/audit/verify/{id}': { why: 'a worker verifies the logs', prepare: createVerification },
  'GET /v1/admin/audit/verify/{id}/events': { why: 'a worker verifies the logs', prepare: createVerification },
  'POST /v1/messages/{id}/resend': {
    why: 'only a reply that was not sent is sent again, to a room on Upwork',
    prepare: async (visit) => ({ id: (await createFailedReply(visit, await createRoom(visit))).messageId }),
  },
  'POST /v1/messages/{id}/discard': {
    why: 'only a reply that was not sent is discarded',
    prepare: async (visit) => ({ id: (await createFailedReply(visit)).messageId }),
  },
  'POST /v1/webhooks/{id}/deliveries/{deliveryId}/retry': {
    why: 'only a failed delivery is sent again; a receiver has to reject one first',
    prepare: async ({ form, worker }) => {
      const receiver = await new WebhookReceiver().start();
      receiver.answer = (response) => response.writeHead(410).end();
      await form.executeNamed('POST /v1/webhooks', { url: receiver.url });
      await form.executeNamed('POST /v1/webhooks/{id}/test');
      await worker.runTask('deliver-alerts');
      await receiver.stop();
      return {};
    },
  },
  'POST /v1/admin/audit/verify': {
    why: 'the verification before must be finished',
    prepare: async ({ app, form }) => {
      await form.executeNamed('POST /v1/auth/step-up');
      await app.db.query(
        'superuser',
        `UPDATE audit.verifications SET status = 'failed', error = 'none', ended_at = now() WHERE ended_at IS NULL`,
      );
      return {};
    },
  },
  'POST /v1/admin/backups/{id}/verify': {
    why: 'a worker has to make the requested backup first',
    prepare: async ({ form, worker }) => {
      await form.executeNamed('POST /v1/auth/step-up');
      await form.executeNamed('POST /v1/admin/backups');
      await worker.runQueued('backup');
      return {};
    },
  },
  'POST /v1/admin/encryption-keys/{id}/retire': {
    why: 'a key is destroyed only a minute after the rotation that replaced it',
    prepare: async ({ app, form, worker }) => {
      await form.executeNamed('POST /v1/auth/step-up');
      await form.executeNamed('POST /v1/admin/encryption-keys/rotate');
      await worker.runTask('rotate-encryption-keys');
      await app.db.query('superuser', `UPDATE key_rotations SET finished_at = now() - interval '2 minutes'`);
      return {};
    },
  },
  'POST /v1/admin/tasks/runs/{runId}/retry': {
    why: 'only a failed run is repeated, and a task of a new installation does not fail',
    prepare: async ({ app }) => {
      const [run] = await app.db.query<{ id: number }>(
        'superuser',
        `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, attempts, error)
         VALUES ('refresh-job-stats', 'boot', 'failed', now(), now(), 1, 'planted') RETURNING id`,
      );
      return { runId: String(run!.id) };
    },
  },
  'POST /v1/admin/users/{id}/reset-mfa': {
    why: 'the user has to have a second factor, and the form of an admin fills in no user',
    prepare: async ({ app, form }) => {
      await form.executeNamed('POST /v1/auth/step-up');
      const user = await createUser(app);
      await enableTotp(await signInFrom(app, user), user);
      return { id: String(user.id) };
    },
  },
};

async function enableAndReadCode({ caller, account }: Visit): Promise<{ code: string }> {
  const { authenticator } = await enableTotp(caller, account);
  return { code: authenticator.generateCode() };
}

/** Creates a conversation of the person, and a reply that Upwork refused. */
async function createFailedReply(
  { app, account: { email } }: Visit,
  roomId: string = randomUUID(),
): Promise<{ conversationId: string; messageId: string }> {
  const [created] = await app.db.query<{ conversation: number; message: number }>(
    'superuser',
    `WITH person AS (SELECT id FROM users WHERE email = $1),
       room AS (
         INSERT INTO conversations AS c (user_id, room_id) SELECT id, $2 FROM person
         ON CONFLICT (user_id, room_id) DO UPDATE SET title = c.title RETURNING id, room_id),
       reply AS (
         INSERT INTO messages (user_id, room_id, sender_type, content, is_read, delivery, attempted_at)
         SELECT person.id, room.room_id, 'freelancer', 'On Monday.', true, 'failed', now() FROM person, room
         RETURNING id)
     SELECT room.id AS conversation, reply.id AS message FROM room, reply`,
    [email, roomId],
  );
  return { conversationId: String(created!.conversation), messageId: String(created!.message) };
}

/** Connects the person, lets a client answer their proposal and synchronises it. Returns the room's id on Upwork. */
async function createRoom({ form, caller, worker }: Visit): Promise<string> {
  const { body } = await form.executeNamed('POST /v1/tokens/upwork/authorize');
  const site = (await FakeUpworkClient.detect(body.url))!;
  await caller.get(await site.consent(body.url));
  const posting = await site.publish({ title: 'A posting', description: '', skills: '' });
  await site.writeMessage(await site.submit(posting.id, 'Hello', '100.00'), 'client', 'When can you start?');
  await form.executeNamed('POST /v1/messages/sync');
  await worker.runTask('sync-connections');
  return (await caller.get('/v1/conversations')).body.items[0].roomId;
}

/** Starts the authorization and consents on the site of the fake Upwork. Returns the path of the callback. */
async function consent(form: SwaggerForm): Promise<string> {
  const { body } = await form.executeNamed('POST /v1/tokens/upwork/authorize');
  const site = await FakeUpworkClient.detect(body.url);
  return site!.consent(body.url);
}

/** Stores a verification of the logs that a worker has finished. */
async function createVerification({ app }: Visit): Promise<{ id: string }> {
  const counts = { treeSize: 0, seals: 0, rows: 0, erased: 0, removed: 0, unsealed: 0, witnessed: 0, differences: 0 };
  const [row] = await app.db.query<{ id: number }>(
    'superuser',
    `INSERT INTO audit.verifications (status, started_by_id, progress, report) VALUES ('finished', 1, 1, $1)
     RETURNING id`,
    [{ ...counts, tampering: [] }],
  );
  return { id: String(row!.id) };
}

/** Creates a record and returns its id and that of its audit row. */
async function createVersion(
  { caller }: Visit,
  path: string,
  table: string,
  body: Record<string, unknown>,
): Promise<Readonly<Record<string, string | number>>> {
  const { id } = (await caller.post(path, body)).body;
  const trail = await caller.get(`/v1/audit/${table}/${id}`);
  return { id: String(id), auditId: trail.body.items[0].id };
}
