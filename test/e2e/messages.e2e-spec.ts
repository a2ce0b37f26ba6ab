import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { buildMessage } from '../support/factories/message.factory';
import { pluck } from '../support/caller';

describe('/v1/messages', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
    bob = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const post = async (values: Record<string, unknown> = {}) =>
    (await ann.post('/v1/messages', buildMessage(values))).body;

  const listAuditRows = (id: number) =>
    app.db.query('superuser', `SELECT * FROM audit_logs WHERE table_name = 'messages' AND record_id = $1 ORDER BY id`, [
      id,
    ]);

  const unread = async (): Promise<number> => (await ann.get('/v1/messages/unread-count')).body.unread;

  describe('POST /v1/messages', () => {
    it("stores a client's message, unread, with one audit row", async () => {
      const jobId = await insertJob(app.db, ann.id);

      const { status, headers, body } = await ann.post('/v1/messages', buildMessage({ jobId }));

      expect(status).toBe(201);
      expect(headers.get('location')).toBe(`/v1/messages/${body.id}`);
      expect(headers.get('etag')).toBe('"1"');
      expect(body).toEqual({
        id: expect.any(Number),
        jobId,
        roomId: null,
        attachmentCount: 0,
        delivery: null,
        deliveryError: null,
        upworkMessageId: null,
        senderType: 'client',
        content: 'When can you start?',
        isRead: false,
        readAt: null,
        version: 1,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      });
      expect(await listAuditRows(body.id)).toEqual([
        expect.objectContaining({
          action: 'INSERT',
          user_id: ann.id,
          actor_kind: 'user',
          actor_id: ann.id,
          request_id: headers.get('x-request-id'),
        }),
      ]);
    });

    it('stores the freelancer’s message as read, with and without a job', async () => {
      const body = await post({ senderType: 'freelancer' });

      expect(body).toMatchObject({ isRead: true, readAt: null, jobId: null });
      expect(await unread()).toBe(0);
    });

    it('stores any text unchanged, except the white space around it', async () => {
      const content = "Grüße 👩‍💻 \u202e'; DROP TABLE messages; -- <script>\n\tend";

      expect((await post({ content: `  ${content} ` })).content).toBe(content);
    });

    it('refuses an unknown job and another user’s alike, with the pointer', async () => {
      const foreign = await insertJob(app.db, bob.id);

      const answers = await Promise.all(
        [foreign, 999_999_999].map((jobId) => ann.post('/v1/messages', buildMessage({ jobId }))),
      );

      for (const { status, body } of answers) {
        expect(status).toBe(422);
        expect(body).toMatchObject({ code: 'reference.not_found', errors: [{ pointer: '/jobId' }] });
      }
    });

    it('creates one only for a repeated Idempotency-Key', async () => {
      const send = () => ann.post('/v1/messages', buildMessage(), { 'idempotency-key': 'a-message' });

      const [first, again] = [await send(), await send()];

      expect(again.body).toEqual(first.body);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(await unread()).toBe(1);
    });

    it.each([
      ['senderType', { senderType: 'robot' }],
      ['senderType', { senderType: undefined }],
      ['content', { content: undefined }],
      ['content', { content: '' }],
      ['content', { content: '   ' }],
      ['content', { content: 7 }],
      ['content', { content: null }],
      ['content', { content: 'x'.repeat(50_001) }],
      ['content', '{"senderType":"client","content":"a\\u0000b"}'],
      ['content', '{"senderType":"client","content":"a\\ud800"}'],
      ['jobId', { jobId: 'x' }],
      ['jobId', { jobId: -1 }],
      ['jobId', { jobId: 9007199254740992 }],
      ['isRead', { isRead: true }],
      ['readAt', { readAt: null }],
      ['userId', { userId: 1 }],
      ['id', { id: 1 }],
    ])('refuses an invalid %s (%#)', async (field, values) => {
      const body = typeof values === 'string' ? values : buildMessage(values);

      const answer = await ann.post('/v1/messages', body);

      expect(answer.status).toBe(400);
      expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer: `/${field}` }));
      expect((await ann.get('/v1/messages')).body.items).toEqual([]);
    });
  });

  describe('GET /v1/messages', () => {
    it('applies the filters and the sort order, page by page', async () => {
      const jobId = await insertJob(app.db, ann.id);
      const ids: number[] = [];
      for (const values of [{ jobId }, {}, { jobId, senderType: 'freelancer' }, { jobId }])
        ids.push((await post(values)).id);
      const [first, second, third, fourth] = ids;
      const idsOf = async (query: string) => pluck((await ann.get(`/v1/messages?${query}`)).body.items, 'id');

      expect(await idsOf('')).toEqual([fourth, third, second, first]);
      expect(await idsOf('sort=createdAt')).toEqual(ids);
      expect(await idsOf(`jobId=${jobId}`)).toEqual([fourth, third, first]);
      expect(await idsOf('isRead=false')).toEqual([fourth, second, first]);
      expect(await idsOf(`isRead=true&jobId=${jobId}`)).toEqual([third]);
      const page = (await ann.get('/v1/messages?limit=3')).body;
      expect((await ann.get(`/v1/messages?limit=3&cursor=${page.nextCursor}`)).body).toMatchObject({
        nextCursor: null,
        items: [{ id: first }],
      });
    });

    it.each(['limit=x', 'limit=101', 'isRead=maybe', 'isRead=1', 'jobId=1.5', 'sort=content', 'q=hello', 'cursor=!'])(
      'refuses %s and names it',
      async (query) => {
        const { status, body } = await ann.get(`/v1/messages?${query}`);

        expect(status).toBe(400);
        expect(body.errors[0].pointer).toBe(`/${query.split('=')[0]}`);
      },
    );
  });

  describe('POST /v1/messages/:id/read', () => {
    it('marks it as read once, with one audit row', async () => {
      const { id } = await post();

      const first = await ann.post(`/v1/messages/${id}/read`);
      const again = await ann.post(`/v1/messages/${id}/read`, {});

      expect(first.status).toBe(200);
      expect(first.body).toMatchObject({ isRead: true, readAt: expect.any(String), version: 2 });
      expect(first.headers.get('etag')).toBe('"2"');
      expect(again.body).toEqual(first.body);
      expect((await listAuditRows(id)).map(({ action }) => action)).toEqual(['INSERT', 'UPDATE']);
      expect(await unread()).toBe(0);
    });

    it('refuses a stale version', async () => {
      const { id } = await post();

      expect((await ann.post(`/v1/messages/${id}/read`, {}, { 'if-match': '"2"' })).status).toBe(412);
      expect(await unread()).toBe(1);
    });
  });

  describe('POST /v1/messages/read', () => {
    it('marks all about the job as read, returns how many, and adds an audit row for each', async () => {
      const jobId = await insertJob(app.db, ann.id);
      const messages = [await post({ jobId }), await post({ jobId }), await post({ jobId, senderType: 'freelancer' })];
      await post();

      const { status, headers, body } = await ann.post('/v1/messages/read', { jobId });

      expect([status, body]).toEqual([200, { updated: 2 }]);
      expect(await unread()).toBe(1);
      const logs = await Promise.all(messages.map(({ id }) => listAuditRows(id)));
      expect(logs.map((rows) => rows.length)).toEqual([2, 2, 1]);
      expect(logs[0]![1]).toMatchObject({
        actor_kind: 'user',
        actor_id: ann.id,
        request_id: headers.get('x-request-id'),
        operation: 'POST /v1/messages/read',
      });
      expect((await ann.post('/v1/messages/read', { jobId })).body).toEqual({ updated: 0 });
    });

    it('refuses a job that the user does not have', async () => {
      const foreign = await insertJob(app.db, bob.id);

      for (const jobId of [foreign, 999_999_999]) {
        const { status, body } = await ann.post('/v1/messages/read', { jobId });

        expect([status, body.errors[0].pointer]).toEqual([422, '/jobId']);
      }
    });

    it.each([{}, { jobId: null }, { jobId: 'all' }, { jobId: 0 }])('refuses %j', async (values) => {
      const { status, body } = await ann.post('/v1/messages/read', values);

      expect([status, body.errors[0].pointer]).toEqual([400, '/jobId']);
    });
  });

  it('is invisible to another user', async () => {
    const { id } = await post();

    const answers = await Promise.all([
      bob.get(`/v1/messages/${id}`),
      bob.post(`/v1/messages/${id}/read`, {}, { 'if-match': '"9"' }),
    ]);

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      answers.map(() => [404, 'message.not_found']),
    );
    expect((await bob.get('/v1/messages')).body.items).toEqual([]);
    expect((await bob.get('/v1/messages/unread-count')).body).toEqual({ unread: 0 });
  });

  it('requires a sign-in on every route', async () => {
    const nobody = createAnonymousCaller(app);

    const answers = await Promise.all([
      nobody.get('/v1/messages'),
      nobody.post('/v1/messages', {}),
      nobody.get('/v1/messages/1'),
      nobody.get('/v1/messages/unread-count'),
      nobody.post('/v1/messages/1/read'),
      nobody.post('/v1/messages/read', {}),
    ]);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
  });
});
