import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { type Answer, pluck } from '../support/caller';
import { insertJob } from '../support/factories/job.factory';
import { buildProposal } from '../support/factories/proposal.factory';

describe('/v1/proposals', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    ann = await createSignedInCaller(app);
    bob = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const insertOwnJob = (status?: string): Promise<number> => insertJob(app.db, ann.id, { status });

  const createDraft = async (values: Record<string, unknown> = {}) =>
    (await ann.post('/v1/proposals', buildProposal({ jobId: await insertOwnJob(), ...values }))).body;

  const listAuditRows = (id: number) =>
    app.db.query(
      'superuser',
      `SELECT * FROM audit_logs WHERE table_name = 'proposals' AND record_id = $1 ORDER BY id`,
      [id],
    );

  describe('POST /v1/proposals', () => {
    it('creates a draft and returns its location', async () => {
      const jobId = await insertOwnJob();

      const { status, headers, body } = await ann.post('/v1/proposals', buildProposal({ jobId, bidAmount: '45' }));

      expect(status).toBe(201);
      expect(headers.get('location')).toBe(`/v1/proposals/${body.id}`);
      expect(headers.get('etag')).toBe('"1"');
      expect(body).toEqual({
        id: expect.any(Number),
        jobId,
        upworkProposalId: null,
        upworkStatus: null,
        upworkReason: null,
        coverLetter: 'I have done this three times.',
        bidAmount: '45.00',
        bidType: 'hourly',
        currency: 'USD',
        status: 'draft',
        submittedAt: null,
        version: 1,
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        updatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      });
      expect((await ann.get(`/v1/proposals/${body.id}`)).body).toEqual(body);
    });

    it('requires only the job', async () => {
      const { status, body } = await ann.post('/v1/proposals', { jobId: await insertOwnJob() });

      expect(status).toBe(201);
      expect(body).toMatchObject({ coverLetter: null, bidAmount: null, bidType: null, currency: 'USD' });
    });

    it('adds one audit row with actor, request and address', async () => {
      const { headers, body } = await ann.post('/v1/proposals', buildProposal({ jobId: await insertOwnJob() }));

      expect(await listAuditRows(body.id)).toEqual([
        expect.objectContaining({
          user_id: ann.id,
          action: 'INSERT',
          actor_kind: 'user',
          actor_id: ann.id,
          request_id: headers.get('x-request-id'),
          ip_address: '127.0.0.1',
          operation: 'POST /v1/proposals',
        }),
      ]);
    });

    it('refuses an unknown job and another user’s alike, with the pointer', async () => {
      const foreign = await insertJob(app.db, bob.id);

      const answers = await Promise.all(
        [foreign, 999_999_999].map((jobId) => ann.post('/v1/proposals', buildProposal({ jobId }))),
      );

      for (const { status, body } of answers) {
        expect(status).toBe(422);
        expect(body).toMatchObject({ code: 'reference.not_found', errors: [{ pointer: '/jobId' }] });
      }
      expect(await app.db.query('superuser', 'SELECT FROM proposals WHERE job_id = $1', [foreign])).toHaveLength(0);
    });

    it('refuses a deleted job and stores nothing', async () => {
      const jobId = await insertOwnJob('deleted');

      const { status, body } = await ann.post('/v1/proposals', buildProposal({ jobId }));

      expect(status).toBe(409);
      expect(body).toMatchObject({ code: 'job.wrong_status', errors: [{ pointer: '/jobId' }] });
      expect((await ann.get(`/v1/proposals?jobId=${jobId}`)).body.items).toEqual([]);
    });

    it('refuses a second open proposal for a job, also of two concurrent ones', async () => {
      const jobId = await insertOwnJob();

      const answers = await Promise.all([1, 2, 3].map(() => ann.post('/v1/proposals', buildProposal({ jobId }))));

      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
      expect(answers.find(({ status }) => status === 409)!.body).toMatchObject({
        code: 'proposal.already_open',
        errors: [{ pointer: '/jobId' }],
      });
    });

    it('accepts another after the first is decided', async () => {
      const { id, jobId } = await createDraft();
      await ann.post(`/v1/proposals/${id}/submit`);
      await ann.post(`/v1/proposals/${id}/reject`);

      expect((await ann.post('/v1/proposals', buildProposal({ jobId }))).status).toBe(201);
    });

    it('creates one only for a repeated Idempotency-Key', async () => {
      const dto = buildProposal({ jobId: await insertOwnJob() });
      const key = { 'idempotency-key': `draft-${dto.jobId as number}` };

      const first = await ann.post('/v1/proposals', dto, key);
      const again = await ann.post('/v1/proposals', dto, key);
      const other = await ann.post('/v1/proposals', { ...dto, bidAmount: '1.00' }, key);

      expect(first.status).toBe(201);
      expect(again.status).toBe(201);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
      expect(other.status).toBe(422);
      expect(await listAuditRows(first.body.id)).toHaveLength(1);
    });

    it.each([
      ['jobId', { jobId: 'x' }],
      ['jobId', { jobId: 1.5 }],
      ['jobId', { jobId: null }],
      ['jobId', {}],
      ['coverLetter', { coverLetter: 7 }],
      ['coverLetter', { coverLetter: 'x'.repeat(20_001) }],
      ['bidAmount', { bidAmount: 45 }],
      ['bidAmount', { bidAmount: '-1.00' }],
      ['bidAmount', { bidAmount: 'NaN' }],
      ['bidAmount', { bidAmount: '1e400' }],
      ['bidAmount', { bidAmount: '45.001' }],
      ['bidAmount', { bidAmount: '100000000' }],
      ['bidType', { bidType: 'daily' }],
      ['currency', { currency: 'usd' }],
      ['currency', { currency: null }],
      ['status', { status: 'accepted' }],
      ['userId', { userId: 1 }],
      ['submittedAt', { submittedAt: '2026-01-01T00:00:00Z' }],
    ])('refuses an invalid %s (%#)', async (field, values) => {
      const jobId = await insertOwnJob();

      const { status, body } = await ann.post(
        '/v1/proposals',
        'jobId' in values || field === 'jobId' ? values : { jobId, ...values },
      );

      expect(status).toBe(400);
      expect(body.errors).toContainEqual(expect.objectContaining({ pointer: `/${field}` }));
      expect((await ann.get(`/v1/proposals?jobId=${jobId}`)).body.items).toEqual([]);
    });
  });

  describe('GET /v1/proposals', () => {
    it('pages without a repeat or a gap while others are created', async () => {
      const carl = await createSignedInCaller(app);
      const make = async () =>
        (await carl.post('/v1/proposals', { jobId: await insertJob(app.db, carl.id) })).body.id as number;
      const ids: number[] = [];
      for (let i = 0; i < 5; i += 1) ids.push(await make());

      const seen: number[] = [];
      let cursor: string | null = null;
      do {
        const page: Answer = await carl.get(`/v1/proposals?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
        seen.push(...pluck<number>(page.body.items, 'id'));
        cursor = page.body.nextCursor;
        await make();
      } while (cursor !== null);

      expect(seen).toEqual(ids.reverse());
    });

    it('applies the filters and the sort order', async () => {
      const carl = await createSignedInCaller(app);
      const jobs = await Promise.all([1, 2].map(() => insertJob(app.db, carl.id)));
      const [first, second] = [
        (await carl.post('/v1/proposals', buildProposal({ jobId: jobs[0]! }))).body.id,
        (await carl.post('/v1/proposals', buildProposal({ jobId: jobs[1]! }))).body.id,
      ];
      await carl.post(`/v1/proposals/${first}/submit`);
      const idsOf = async (query: string) => pluck((await carl.get(`/v1/proposals?${query}`)).body.items, 'id');

      expect(await idsOf(`jobId=${jobs[0]}`)).toEqual([first]);
      expect(await idsOf('status=draft')).toEqual([second]);
      expect(await idsOf('status=draft,submitted&sort=createdAt')).toEqual([first, second]);
      expect(await idsOf('status=draft&status=submitted')).toEqual([second, first]);
      expect(await idsOf('sort=-updatedAt')).toEqual([first, second]);
      expect(await idsOf('status=archived')).toEqual([]);
    });

    it.each(['limit=0', 'limit=101', 'limit=-1', 'sort=userId', 'status=open', 'jobId=x', 'nonsense=1', 'cursor=abc'])(
      'refuses %s and names it',
      async (query) => {
        const { status, body } = await ann.get(`/v1/proposals?${query}`);

        expect(status).toBe(400);
        expect(body.errors[0].pointer).toMatch(new RegExp(`^/${query.split('=')[0]}\\b`));
      },
    );

    it('refuses a cursor of another list', async () => {
      const carl = await createSignedInCaller(app);
      for (let i = 0; i < 2; i += 1) {
        await carl.post('/v1/proposals', { jobId: await insertJob(app.db, carl.id) });
      }
      const { nextCursor } = (await carl.get('/v1/proposals?limit=1')).body;

      expect((await carl.get(`/v1/proposals?limit=1&sort=createdAt&cursor=${nextCursor}`)).body.code).toBe(
        'cursor.invalid',
      );
      expect((await ann.get(`/v1/proposals?limit=1&cursor=${nextCursor}`)).body.code).toBe('cursor.invalid');
    });
  });

  describe('GET /v1/proposals/:id', () => {
    it('answers 304 for the known version', async () => {
      const { id } = await createDraft();

      expect((await ann.get(`/v1/proposals/${id}`, { 'if-none-match': '"1"' })).status).toBe(304);
      expect((await ann.get(`/v1/proposals/${id}`, { 'if-none-match': '"2"' })).status).toBe(200);
    });
  });

  describe('PATCH /v1/proposals/:id', () => {
    it('updates the fields in the patch, clears by null, and adds one audit row with the difference', async () => {
      const { id } = await createDraft();

      const { status, headers, body } = await ann.patch(`/v1/proposals/${id}`, { bidAmount: '50', coverLetter: null });

      expect(status).toBe(200);
      expect(headers.get('etag')).toBe('"2"');
      expect(body).toMatchObject({ bidAmount: '50.00', coverLetter: null, bidType: 'hourly', version: 2 });
      expect((await listAuditRows(id)).slice(1)).toEqual([
        expect.objectContaining({
          action: 'UPDATE',
          old_values: { bid_amount: 45, cover_letter: 'I have done this three times.' },
          new_values: { bid_amount: 50, cover_letter: null },
        }),
      ]);
    });

    it('accepts application/merge-patch+json', async () => {
      const { id } = await createDraft();

      const { body } = await ann.patch(
        `/v1/proposals/${id}`,
        { bidType: 'fixed' },
        { 'content-type': 'application/merge-patch+json' },
      );

      expect(body.bidType).toBe('fixed');
    });

    it('changes neither version nor audit log without a change', async () => {
      const { id } = await createDraft();

      const { body } = await ann.patch(`/v1/proposals/${id}`, { bidAmount: '45', bidType: 'hourly' });

      expect(body.version).toBe(1);
      expect(await listAuditRows(id)).toHaveLength(1);
    });

    it('refuses a stale version, and the second of two with the same one', async () => {
      const { id } = await createDraft();
      const patch = (bidAmount: string) => ann.patch(`/v1/proposals/${id}`, { bidAmount }, { 'if-match': '"1"' });

      const answers = await Promise.all([patch('1.00'), patch('2.00'), patch('3.00')]);

      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
      expect((await ann.patch(`/v1/proposals/${id}`, { bidAmount: '9.00' }, { 'if-match': '*' })).status).toBe(200);
    });

    it('refuses a change of a submitted proposal, of the job and of read-only fields', async () => {
      const { id } = await createDraft();
      const readOnly = await ann.patch(`/v1/proposals/${id}`, { jobId: 1, version: 7 });
      await ann.post(`/v1/proposals/${id}/submit`);

      const late = await ann.patch(`/v1/proposals/${id}`, { bidAmount: '1.00' });

      expect(readOnly.status).toBe(400);
      expect(pluck(readOnly.body.errors, 'pointer')).toEqual(['/jobId', '/version']);
      expect(late.status).toBe(409);
      expect(late.body.code).toBe('proposal.not_draft');
    });
  });

  describe('DELETE /v1/proposals/:id', () => {
    it('deletes a draft and keeps its history', async () => {
      const { id } = await createDraft();

      const { status, body } = await ann.delete(`/v1/proposals/${id}`, undefined, { 'if-match': '"1"' });

      expect([status, body]).toEqual([204, undefined]);
      expect((await ann.get(`/v1/proposals/${id}`)).status).toBe(404);
      const history = await ann.get(`/v1/proposals/${id}/history`);
      expect(pluck(history.body.items, 'action')).toEqual(['DELETE', 'INSERT']);
      expect((await bob.get(`/v1/proposals/${id}/history`)).status).toBe(404);
    });

    it('refuses a stale version and a submitted proposal', async () => {
      const { id } = await createDraft();

      expect((await ann.delete(`/v1/proposals/${id}`, undefined, { 'if-match': '"7"' })).status).toBe(412);
      await ann.post(`/v1/proposals/${id}/submit`);
      expect((await ann.delete(`/v1/proposals/${id}`)).body.code).toBe('proposal.not_draft');
    });
  });

  describe('POST /v1/proposals/:id/:step', () => {
    it('sets submittedAt only when it is submitted', async () => {
      const { id } = await createDraft();
      const before = Date.now();

      const { status, headers, body } = await ann.post(`/v1/proposals/${id}/submit`, {});

      expect(status).toBe(200);
      expect(headers.get('etag')).toBe('"2"');
      expect(body.status).toBe('submitted');
      expect(Date.parse(body.submittedAt)).toBeGreaterThanOrEqual(before - 1);
      expect(Date.parse(body.submittedAt)).toBeLessThanOrEqual(Date.now() + 1);
      const accepted = (await ann.post(`/v1/proposals/${id}/accept`)).body;
      expect([accepted.status, accepted.submittedAt]).toEqual(['accepted', body.submittedAt]);
      expect((await ann.post(`/v1/proposals/${id}/archive`)).body.status).toBe('archived');
      expect(await listAuditRows(id)).toHaveLength(4);
    });

    it('refuses to submit an incomplete draft', async () => {
      const { body: draft } = await ann.post('/v1/proposals', { jobId: await insertOwnJob() });

      const { status, body } = await ann.post(`/v1/proposals/${draft.id}/submit`);

      expect(status).toBe(422);
      expect(body.code).toBe('proposal.incomplete');
      expect(pluck(body.errors, 'pointer')).toEqual(['/coverLetter', '/bidAmount', '/bidType']);
    });

    it.each([
      ['accept', [], 'submit'],
      ['archive', [], 'submit'],
      ['submit', ['submit'], 'accept, reject, withdraw, archive'],
      ['withdraw', ['submit', 'accept'], 'archive'],
      ['archive', ['submit', 'archive'], 'No step'],
    ])('refuses %s after %j and names the possible steps', async (step, taken, named) => {
      const { id } = await createDraft();
      for (const before of taken) await ann.post(`/v1/proposals/${id}/${before}`);

      const { status, body } = await ann.post(`/v1/proposals/${id}/${step}`);

      expect(status).toBe(409);
      expect(body.code).toBe('proposal.wrong_step');
      expect(body.detail).toContain(named);
    });

    it('refuses a stale version before it checks the step', async () => {
      const { id } = await createDraft();

      expect((await ann.post(`/v1/proposals/${id}/accept`, {}, { 'if-match': '"4"' })).status).toBe(412);
      expect((await ann.post(`/v1/proposals/${id}/submit`, {}, { 'if-match': '"1"' })).status).toBe(200);
    });

    it('lets exactly one of 20 parallel decisions win', async () => {
      const { id } = await createDraft();
      await ann.post(`/v1/proposals/${id}/submit`);

      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => ann.post(`/v1/proposals/${id}/${i % 2 === 0 ? 'accept' : 'reject'}`)),
      );

      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      expect(answers.filter(({ status, body }) => status === 409 && body.code === 'proposal.wrong_step')).toHaveLength(
        19,
      );
      expect((await ann.get(`/v1/proposals/${id}`)).body.status).toBe(won[0]!.body.status);
      expect(await listAuditRows(id)).toHaveLength(3);
    });

    it('replays the response under an Idempotency-Key instead of refusing', async () => {
      const { id } = await createDraft();
      const submit = () => ann.post(`/v1/proposals/${id}/submit`, {}, { 'idempotency-key': `submit-${id}` });

      const answers = [await submit(), await submit()];

      expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
        [200, 'submitted'],
        [200, 'submitted'],
      ]);
    });

    it('accepts no fields', async () => {
      const { id } = await createDraft();

      for (const body of ['[1', '[]', 'null', { coverLetter: 'x' }]) {
        expect((await ann.post(`/v1/proposals/${id}/submit`, body)).status).toBe(400);
      }
      expect((await ann.get(`/v1/proposals/${id}`)).body.status).toBe('draft');
    });
  });

  describe('GET /v1/proposals/:id/history', () => {
    it('lists who changed what, newest first, with the API’s names and formats', async () => {
      const { id, jobId } = await createDraft();
      await ann.patch(`/v1/proposals/${id}`, { bidAmount: '50' });
      const { submittedAt } = (await ann.post(`/v1/proposals/${id}/submit`)).body;
      await app.db.query('superuser', `UPDATE proposals SET status = 'accepted', bid_amount = 55.5 WHERE id = $1`, [
        id,
      ]);

      const { body } = await ann.get(`/v1/proposals/${id}/history`);

      const me = { kind: 'user', id: ann.id };
      expect(body).toEqual({
        nextCursor: null,
        items: [
          {
            at: expect.any(String),
            actor: { kind: 'database', id: null },
            action: 'UPDATE',
            changes: { status: { old: 'submitted', new: 'accepted' }, bidAmount: { old: '50.00', new: '55.50' } },
          },
          {
            at: expect.any(String),
            actor: me,
            action: 'UPDATE',
            changes: { status: { old: 'draft', new: 'submitted' }, submittedAt: { old: null, new: submittedAt } },
          },
          {
            at: expect.any(String),
            actor: me,
            action: 'UPDATE',
            changes: { bidAmount: { old: '45.00', new: '50.00' } },
          },
          {
            at: expect.any(String),
            actor: me,
            action: 'INSERT',
            changes: {
              jobId: { old: null, new: jobId },
              coverLetter: { old: null, new: 'I have done this three times.' },
              bidAmount: { old: null, new: '45.00' },
              bidType: { old: null, new: 'hourly' },
              currency: { old: null, new: 'USD' },
              status: { old: null, new: 'draft' },
              createdAt: { old: null, new: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) },
            },
          },
        ],
      });
    });

    it('returns pages', async () => {
      const { id } = await createDraft();
      await ann.patch(`/v1/proposals/${id}`, { bidAmount: '50' });
      await ann.patch(`/v1/proposals/${id}`, { bidAmount: '51' });

      const first = (await ann.get(`/v1/proposals/${id}/history?limit=2`)).body;
      const second = (await ann.get(`/v1/proposals/${id}/history?limit=2&cursor=${first.nextCursor}`)).body;

      expect(first.items).toHaveLength(2);
      expect(second).toMatchObject({ nextCursor: null, items: [{ action: 'INSERT' }] });
      const other = await createDraft();
      expect((await ann.get(`/v1/proposals/${other.id}/history?cursor=${first.nextCursor}`)).body.code).toBe(
        'cursor.invalid',
      );
    });
  });

  it('is invisible to another user: every route answers 404, their list is empty', async () => {
    const { id } = await createDraft();
    const at = (path: string) => `/v1/proposals/${id}${path}`;
    const stale = { 'if-match': '"99"' };

    const answers = await Promise.all([
      bob.get(at('')),
      bob.get(at('/history')),
      bob.patch(at(''), { bidAmount: '1.00' }, stale),
      bob.delete(at(''), undefined, stale),
      ...['submit', 'accept', 'reject', 'withdraw', 'archive'].map((step) => bob.post(at(`/${step}`), {}, stale)),
    ]);

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      answers.map(() => [404, 'proposal.not_found']),
    );
    expect((await bob.get('/v1/proposals')).body).toEqual({ items: [], nextCursor: null });
    expect((await ann.get(at(''))).body).toMatchObject({ version: 1, status: 'draft' });
  });

  it('requires a sign-in on every route', async () => {
    const nobody = createAnonymousCaller(app);

    const answers = await Promise.all([
      nobody.get('/v1/proposals'),
      nobody.post('/v1/proposals', {}),
      nobody.get('/v1/proposals/1'),
      nobody.patch('/v1/proposals/1', {}),
      nobody.delete('/v1/proposals/1'),
      nobody.post('/v1/proposals/1/submit'),
      nobody.get('/v1/proposals/1/history'),
    ]);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
  });
});
