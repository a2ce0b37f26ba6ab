import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { buildMessage } from '../support/factories/message.factory';
import { buildProposal } from '../support/factories/proposal.factory';

describe('Idempotency-Key', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
    bob = await createSignedInCaller(app);
  });

  function keyed(key: string = randomUUID()): Record<string, string> {
    return { 'idempotency-key': key };
  }

  async function messagesOf({ id }: SignedInCaller): Promise<number> {
    const [row] = await app.db.query<{ count: number }>(
      'superuser',
      'SELECT count(*)::int AS count FROM messages WHERE user_id = $1',
      [id],
    );
    return row!.count;
  }

  async function auditRowsOf({ id }: SignedInCaller): Promise<number> {
    const [row] = await app.db.query<{ count: number }>(
      'superuser',
      `SELECT count(*)::int AS count FROM audit_logs WHERE user_id = $1 AND table_name = 'messages'`,
      [id],
    );
    return row!.count;
  }

  it('repeats the response without a second effect', async () => {
    const key = keyed();

    const first = await ann.post('/v1/messages', buildMessage(), key);
    const second = await ann.post('/v1/messages', buildMessage(), key);

    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect([first.headers.get('idempotent-replayed'), second.headers.get('idempotent-replayed')]).toEqual([
      null,
      'true',
    ]);
    expect([second.headers.get('location'), second.headers.get('etag')]).toEqual([
      first.headers.get('location'),
      first.headers.get('etag'),
    ]);
    expect([await messagesOf(ann), await auditRowsOf(ann)]).toEqual([1, 1]);
  });

  it('ignores the order of fields', async () => {
    const key = keyed();
    const { senderType, content } = buildMessage();

    await ann.post('/v1/messages', { senderType, content }, key);
    const second = await ann.post('/v1/messages', { content, senderType }, key);

    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  it('rejects another body and another route', async () => {
    const key = keyed();
    await ann.post('/v1/messages', buildMessage(), key);

    const otherBody = await ann.post('/v1/messages', buildMessage({ content: 'other' }), key);
    const otherRoute = await ann.post('/v1/messages/read', { jobId: 1 }, key);

    expect([otherBody.status, otherBody.body.code]).toEqual([422, 'idempotency.key_reused']);
    expect([otherRoute.status, otherRoute.body.code]).toEqual([422, 'idempotency.key_reused']);
  });

  it('belongs to one user', async () => {
    const key = keyed();

    const annsAnswer = await ann.post('/v1/messages', buildMessage(), key);
    const bobsAnswer = await bob.post('/v1/messages', buildMessage(), key);

    expect(bobsAnswer.status).toBe(201);
    expect(bobsAnswer.body.id).not.toBe(annsAnswer.body.id);
    expect(bobsAnswer.headers.get('idempotent-replayed')).toBeNull();
  });

  it('has one effect for twelve concurrent requests', async () => {
    const key = keyed();

    const answers = await Promise.all(Array.from({ length: 12 }, () => ann.post('/v1/messages', buildMessage(), key)));

    const made = answers.filter(({ status, headers }) => status === 201 && !headers.has('idempotent-replayed'));
    const others = answers.filter((answer) => !made.includes(answer));
    expect(made).toHaveLength(1);
    expect(
      others.every(({ status, body }) =>
        status === 201 ? body.id === made[0]!.body.id : body.code === 'idempotency.in_progress',
      ),
    ).toBe(true);
    expect([await messagesOf(ann), await auditRowsOf(ann)]).toEqual([1, 1]);
  });

  it('is 409 while another request with the key runs, and works after it has ended', async () => {
    const key = randomUUID();
    const lock = `SELECT pg_advisory_xact_lock(hashtextextended('idempotency:' || $1, $2))`;
    const during = await app.db.transaction('superuser', async (client) => {
      await client.query(lock, [key, ann.id]);
      return ann.post('/v1/messages', buildMessage(), keyed(key));
    });

    expect([during.status, during.body.code, during.headers.get('retry-after')]).toEqual([
      409,
      'idempotency.in_progress',
      '1',
    ]);
    expect(await messagesOf(ann)).toBe(0);
    expect((await ann.post('/v1/messages', buildMessage(), keyed(key))).status).toBe(201);
  });

  it('does not store errors: the corrected request may use the key', async () => {
    const key = keyed();

    const rejected = await ann.post('/v1/messages', buildMessage({ content: '' }), key);
    const unknownJob = await ann.post('/v1/messages', buildMessage({ jobId: 999_999_999 }), key);
    const corrected = await ann.post('/v1/messages', buildMessage(), key);

    expect([rejected.status, unknownJob.status, corrected.status]).toEqual([400, 422, 201]);
    expect(await messagesOf(ann)).toBe(1);
  });

  it('repeats the response of an action that is possible once', async () => {
    const draft = await ann.post('/v1/proposals', buildProposal({ jobId: await insertJob(app.db, ann.id) }));
    const key = keyed();

    const first = await ann.post(`/v1/proposals/${draft.body.id}/submit`, {}, key);
    const second = await ann.post(`/v1/proposals/${draft.body.id}/submit`, {}, key);
    const withoutKey = await ann.post(`/v1/proposals/${draft.body.id}/submit`, {});

    expect([first.status, second.status, withoutKey.status]).toEqual([200, 200, 409]);
    expect(second.body).toEqual(first.body);
  });

  it('treats {} and no body as the same request', async () => {
    const draft = await ann.post('/v1/proposals', buildProposal({ jobId: await insertJob(app.db, ann.id) }));
    const key = keyed();

    const first = await ann.post(`/v1/proposals/${draft.body.id}/submit`, undefined, key);
    const second = await ann.post(`/v1/proposals/${draft.body.id}/submit`, {}, key);

    expect([first.status, second.status, second.headers.get('idempotent-replayed')]).toEqual([200, 200, 'true']);
    expect(second.body).toEqual(first.body);
  });

  it('is free again after 24 hours', async () => {
    const key = keyed();
    await ann.post('/v1/messages', buildMessage(), key);
    await app.db.query(
      'superuser',
      `UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE user_id = $1`,
      [ann.id],
    );

    const later = await ann.post('/v1/messages', buildMessage({ content: 'another' }), key);
    const again = await ann.post('/v1/messages', buildMessage({ content: 'another' }), key);

    expect(later.headers.get('idempotent-replayed')).toBeNull();
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await messagesOf(ann)).toBe(2);
  });

  it.each([['x'.repeat(256)], ['two words'], ['ключ'.replace(/./g, 'é')]])('rejects the key %.20s', async (key) => {
    const { status, body } = await ann.post('/v1/messages', buildMessage(), keyed(key));

    expect([status, body.code]).toEqual([400, 'idempotency.key_invalid']);
  });

  it('requires a session first', async () => {
    expect((await createAnonymousCaller(app).post('/v1/messages', buildMessage(), keyed())).status).toBe(401);
  });
});
