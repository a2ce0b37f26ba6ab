import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { FakeAnswer } from '../../src/demo/fake-upwork/fake-schema';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { startApp, type TestApp } from '../support/test-app';
import type { ManualWorker } from '../support/test-worker';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';
import { createUpworkConnection } from '../support/upwork-connections';

const QUESTION = 'Which database have you made faster, and how much?';

describe('the details of a job', () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let ai: FakeVendors;
  let app: TestApp;
  let worker: ManualWorker;
  let ann: SignedInCaller;

  beforeAll(async () => {
    ai = await startFakeVendors();
    upworkApp = await startUpworkApp(ai.settings);
    ({ upwork, app, worker } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
  });
  afterEach(() => upworkApp.reset());
  afterAll(async () => {
    await upworkApp.close();
    await ai.close();
  });

  const create = async (upworkJobId?: string): Promise<number> =>
    (await ann.post('/v1/jobs', { title: 'As found', skills: ['PostgreSQL'], upworkJobId })).body.id;

  it('are read from the full posting on demand', async () => {
    const id = await create('~021991400000000000001');
    expect((await ann.get(`/v1/jobs/${id}/questions`)).body).toEqual({ questions: [], refreshedAt: null });
    upwork.cases.serve('job-details-hourly');

    const { status, body } = await ann.post(`/v1/jobs/${id}/refresh`);

    expect([status, upwork.calls.map(({ variables }) => variables)]).toEqual([200, [{ id: '1991400000000000001' }]]);
    expect(body).toEqual({
      refreshedAt: expect.any(String),
      isClosed: false,
      questions: [QUESTION],
      activity: { invited: 2, interviewed: 1, offered: 0, hired: 0, lastActiveAt: '2026-11-21T06:00:00.000Z' },
    });
    expect((await ann.get(`/v1/jobs/${id}/questions`)).body).toEqual({
      questions: [QUESTION],
      refreshedAt: body.refreshedAt,
    });
    expect((await ann.get(`/v1/jobs/${id}`)).body).toMatchObject({
      title: 'Speed up slow PostgreSQL queries',
      description: 'Our reports take minutes.',
      ...{ jobType: 'hourly', hourlyRateMin: '40.00', hourlyRateMax: '60.00', skills: ['PostgreSQL'] },
    });
  });

  it('have the amounts of one kind of pay when the client changes it', async () => {
    const posted = upwork.marketplace.publish({ title: 'Repriced', hourly: ['40.00', '60.00'] });
    const { id } = (
      await ann.post('/v1/jobs', {
        title: 'Repriced',
        upworkJobId: `~02${posted.id}`,
        ...{ jobType: 'fixed', budgetMin: '500.00', budgetMax: '500.00' },
      })
    ).body;
    const refresh = async () => {
      await ann.post(`/v1/jobs/${id}/refresh`);
      const { body } = await ann.get(`/v1/jobs/${id}`);
      return [body.jobType, body.budgetMin, body.budgetMax, body.hourlyRateMin, body.hourlyRateMax];
    };

    expect(await refresh()).toEqual(['hourly', null, null, '40.00', '60.00']);
    Object.assign(posted, { hourly: null, amount: '900.00' });
    expect(await refresh()).toEqual(['fixed', '900.00', '900.00', null, null]);
  });

  it('are answered by drafts, and an accepted cover letter omits the answers', async () => {
    const posted = upwork.marketplace.publish({
      title: 'Faster reports',
      questions: [QUESTION, 'When can\nyou start?'],
    });
    const jobId = await create(`~02${posted.id}`);
    await ann.post(`/v1/jobs/${jobId}/refresh`);
    const text = 'Dear client.\n\nScreening answers:\n1. PostgreSQL, ten times.\n2. On Monday.';
    ai.setBehaviour(() => ({ chunks: [text] }));
    const { body: proposal } = await ann.post('/v1/proposals', { jobId });

    const { body: draft } = await ann.post('/v1/ai/generations', { type: 'cover_letter', jobId });
    const [stored] = await app.db.query<{ prompt: string }>(
      'superuser',
      'SELECT prompt FROM ai_generations WHERE id = $1',
      [draft.id],
    );
    const { body: accepted } = await ann.post(`/v1/ai/generations/${draft.id}/accept`, { proposalId: proposal.id });

    expect(draft).toMatchObject({ text, screeningAnswers: ['PostgreSQL, ten times.', 'On Monday.'] });
    expect(stored!.prompt).toContain(`Screening question 1: ${QUESTION}\nScreening question 2: When can you start?`);
    expect(stored!.prompt).toContain('write the line "Screening answers:"');
    expect(accepted.letter).toBe('Dear client.');
  });

  it('and other texts from Upwork get to no AI provider where the operator forbids it', async () => {
    ai.setBehaviour(() => ({}));
    const strict = await startApp({ sharedWith: app, settings: { AI_UPWORK_TEXTS: 'false' } });
    const caller = await createSignedInCaller(strict);
    const add = async (title: string, upworkJobId?: string): Promise<number> =>
      (await caller.post('/v1/jobs', { title, upworkJobId })).body.id;
    const draft = (type: string, jobId?: number) => caller.post('/v1/ai/generations', { type, jobId });
    const [own, fetched, withMessage] = [await add('Own'), await add('Fetched', '~0211'), await add('With message')];
    await caller.post('/v1/messages', { jobId: withMessage, senderType: 'client', content: 'Mine' });
    await app.db.query('superuser', `UPDATE messages SET upwork_message_id = 's1' WHERE job_id = $1`, [withMessage]);
    await app.db.query('superuser', `UPDATE jobs SET upwork_job_id = NULL, fetched_at = now() WHERE id = $1`, [
      fetched,
    ]);
    const calls = ai.invoices.length;

    for (const jobId of [fetched, await add('Known', '~0212')])
      expect(await draft('cover_letter', jobId)).toMatchObject({
        status: 403,
        body: { code: 'ai.upwork_texts_forbidden', errors: [{ pointer: '/jobId' }] },
      });
    expect((await draft('message', withMessage)).body.code).toBe('ai.upwork_texts_forbidden');
    expect(ai.invoices.length).toBe(calls);
    const allowed = [draft('message', own), draft('proposal', own), draft('cover_letter', withMessage)];
    expect((await Promise.all(allowed)).map(({ status }) => status)).toEqual([201, 201, 201]);
    await strict.close();
  });

  it('expire with the job', async () => {
    await ann.post('/v1/saved-searches', { name: 'Reports', query: 'erlang' });
    upwork.marketplace.publish({ title: 'Erlang reports', questions: [QUESTION] });
    await ann.post('/v1/jobs/sync');
    await worker.runTask('sync-connections');
    const [job] = (await ann.get('/v1/jobs')).body.items;
    await ann.post(`/v1/jobs/${job.id}/refresh`);
    expect((await ann.get(`/v1/jobs/${job.id}/questions`)).body.questions).toEqual([QUESTION]);

    await app.db.query('superuser', `UPDATE jobs SET fetched_at = fetched_at - interval '25 hours'`);
    await worker.runTask('expire-fetched-jobs');

    expect((await ann.get(`/v1/jobs/${job.id}/questions`)).body).toEqual({ questions: [], refreshedAt: null });
  });

  it.each(['active', 'archived'])('expire again with a job that had expired while %s', async (status) => {
    await ann.post('/v1/saved-searches', { name: 'Reports', query: status });
    upwork.marketplace.publish({ title: `Once ${status}`, description: 'Long words', questions: [QUESTION] });
    await upworkApp.synchronize(ann, 'jobs');
    const [{ id }] = (await ann.get('/v1/jobs')).body.items;
    await ann.patch(`/v1/jobs/${id}`, { status });
    const expire = async () => {
      await app.db.query('superuser', `UPDATE jobs SET fetched_at = fetched_at - interval '25 hours'`);
      await worker.runTask('expire-fetched-jobs');
    };
    const read = async () => {
      const [job, { body: details }] = [await ann.get(`/v1/jobs/${id}`), await ann.get(`/v1/jobs/${id}/questions`)];
      return [job.body.description, job.body.status, details.questions];
    };
    await expire();
    const expired = [null, status === 'active' ? 'deleted' : status, []];
    expect(await read()).toEqual(expired);

    await ann.post(`/v1/jobs/${id}/refresh`);

    expect(await read()).toEqual(['Long words', status, [QUESTION]]);
    await expire();
    expect(await read()).toEqual(expired);
  });

  it('leave a job that the user entered as it is', async () => {
    const id = await create(`~02${upwork.marketplace.publish({ title: 'Entered' }).id}`);

    await ann.post(`/v1/jobs/${id}/refresh`);

    expect(await app.db.query('superuser', 'SELECT fetched_at, status FROM jobs WHERE id = $1', [id])).toEqual([
      { fetched_at: null, status: 'active' },
    ]);
  });

  it('are read through the first connection that can see the posting', async () => {
    const id = await create(`~02${upwork.marketplace.publish({ title: 'Of an agency', questions: [QUESTION] }).id}`);
    for (const organizationId of ['org-a', 'org-b', 'org-c'])
      await createUpworkConnection(app, upwork, ann, { seconds: 3_600, organizationId });
    const missing = { message: 'No permissions/scopes', path: ['marketplaceJobPosting'] };
    const answers: ((real: FakeAnswer) => unknown)[] = [
      () => ({ data: { marketplaceJobPosting: null } }),
      () => ({ data: { marketplaceJobPosting: null }, errors: [missing] }),
      (real) => real,
    ];
    upwork.transformResponse = (_, real) => answers[upwork.calls.length - 1]!(real);

    const { status, body } = await ann.post(`/v1/jobs/${id}/refresh`);

    expect([status, body.questions]).toEqual([200, [QUESTION]]);
    expect(upwork.calls.map(({ tenant }) => tenant)).toEqual([undefined, 'org-a', 'org-b']);
  });

  it('are not read when no connection can see the posting, for the reason that can be mended', async () => {
    const id = await create(`~02${upwork.marketplace.publish({ title: 'Of another' }).id}`);
    await createUpworkConnection(app, upwork, ann, { seconds: 3_600, organizationId: 'org-a' });
    const missing = { message: 'No permissions/scopes', path: ['marketplaceJobPosting'] };
    const answers = [{}, { errors: [missing] }, {}, {}];
    upwork.transformResponse = () => ({ data: { marketplaceJobPosting: null }, ...answers[upwork.calls.length - 1] });

    const codes = [await ann.post(`/v1/jobs/${id}/refresh`), await ann.post(`/v1/jobs/${id}/refresh`)];

    expect(codes.map(({ body }) => body.code)).toEqual(['upwork.permission_missing', 'job.not_on_upwork']);
    upwork.calls.length = 0;
    upwork.cases.serve('unknown-document');
    expect((await ann.post(`/v1/jobs/${id}/refresh`)).body.code).toBe('upwork.unavailable');
    expect(upwork.calls).toHaveLength(1);
  });

  it.each([
    ['a job without an id of Upwork', undefined, 409, 'job.not_on_upwork'],
    ['an id that contains no number', '~01abcdef', 409, 'job.not_on_upwork'],
    ['a posting that the connection cannot see', '~0277', 409, 'job.not_on_upwork'],
  ])('cannot be read: %s', async (_, upworkJobId, status, code) => {
    expect(await ann.post(`/v1/jobs/${await create(upworkJobId)}/refresh`)).toMatchObject({ status, body: { code } });
  });

  it('cannot be read of a foreign job, without a connection, or while Upwork fails', async () => {
    const posted = upwork.marketplace.publish({ title: 'Mine' });
    const id = await create(`~02${posted.id}`);
    const stranger = await createSignedInCaller(app);
    // A call is repeated twice.
    for (let attempt = 0; attempt < 3; attempt++) upwork.cases.serve('failure-as-an-answer');
    const failed = await ann.post(`/v1/jobs/${id}/refresh`);
    await app.db.query('superuser', 'DELETE FROM user_tokens');

    expect(failed).toMatchObject({ status: 503, body: { code: 'upwork.unavailable' } });
    expect((await ann.post(`/v1/jobs/${id}/refresh`)).body.code).toBe('token.not_connected');
    expect((await stranger.post(`/v1/jobs/${id}/refresh`)).body.code).toBe('job.not_found');
    expect((await stranger.get(`/v1/jobs/${id}/questions`)).body.code).toBe('job.not_found');
  });

  it('cannot be read without a permission, or when Upwork refuses the document: later is no cure', async () => {
    const id = await create(upwork.marketplace.publish({ title: 'Hidden' }).id);
    upwork.cases.serve('permission-missing');
    const forbidden = await ann.post(`/v1/jobs/${id}/refresh`);
    upwork.cases.serve('unknown-document');
    const refused = await ann.post(`/v1/jobs/${id}/refresh`);

    expect(forbidden).toMatchObject({ status: 409, body: { code: 'upwork.permission_missing' } });
    expect(refused).toMatchObject({ status: 503, body: { code: 'upwork.unavailable' } });
    for (const { headers, body } of [forbidden, refused]) {
      expect([headers.get('retry-after'), body.detail]).toEqual([null, expect.stringMatching(/[^.]\.$/)]);
    }
  });

  it('keep new tokens when a request with a key fails after their refresh', async () => {
    const id = await create(upwork.marketplace.publish({ title: 'Mine' }).id);
    upwork.grants.expireAll();
    upwork.faults.schedule('graphql', 'none');
    upwork.faults.schedule('graphql', '500', 3);
    const headers = { 'idempotency-key': 'refresh-1' };

    const failed = await ann.post(`/v1/jobs/${id}/refresh`, undefined, headers);
    upwork.grants.expireAll();
    await app.db.query('superuser', `UPDATE user_tokens SET last_refreshed_at = last_refreshed_at - interval '1 hour'`);
    const done = await ann.post(`/v1/jobs/${id}/refresh`, undefined, headers);

    expect([failed.status, done.status]).toEqual([503, 200]);
  });

  it('are read ten times in a minute', async () => {
    const posted = upwork.marketplace.publish({ title: 'Often' });
    const id = await create(posted.id);
    for (let n = 0; n < 10; n++) expect((await ann.post(`/v1/jobs/${id}/refresh`)).status).toBe(200);

    const { status, headers, body } = await ann.post(`/v1/jobs/${id}/refresh`);

    expect([status, body.code]).toEqual([429, 'rate.limited']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(upwork.calls).toHaveLength(10);
  });
});
