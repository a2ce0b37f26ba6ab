import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';

describe('accepting a draft as a cover letter', () => {
  let fake: FakeVendors;
  let app: TestApp;
  let user: SignedInCaller;
  beforeAll(async () => {
    fake = await startFakeVendors();
    app = await startApp({ settings: fake.settings });
  });
  beforeEach(async () => {
    user = await createSignedInCaller(app);
    fake.setBehaviour(() => ({}));
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
  });

  async function createProposal(title: string, coverLetter?: string): Promise<number> {
    const job = await user.post('/v1/jobs', { title });
    return (await user.post('/v1/proposals', { jobId: job.body.id, coverLetter })).body.id;
  }

  async function createDraft(text: string): Promise<number> {
    fake.setBehaviour(() => ({ chunks: [text] }));
    return (await user.post('/v1/ai/generations', { type: 'cover_letter' })).body.id;
  }

  it('sets the cover letter and stores every previous version', async () => {
    const proposalId = await createProposal('One', 'What I wrote myself.');
    const first = await user.post(`/v1/ai/generations/${await createDraft('The first draft.')}/accept`, { proposalId });
    const second = await user.post(
      `/v1/ai/generations/${await createDraft('The second draft.')}/accept`,
      { proposalId },
      { 'if-match': `"${first.body.proposalVersion}"` },
    );

    expect([first.status, second.status, second.body.letter]).toEqual([200, 200, 'The second draft.']);
    expect((await user.get(`/v1/proposals/${proposalId}`)).body).toMatchObject({
      coverLetter: 'The second draft.',
      version: 3,
    });
    const { body } = await user.get(`/v1/ai/letter-versions?proposalId=${proposalId}`);
    expect(
      body.items.map((item: { letter: string; generationId: number | null }) => [
        item.letter,
        item.generationId === null,
      ]),
    ).toEqual([
      ['The second draft.', false],
      ['The first draft.', false],
      ['What I wrote myself.', true],
    ]);
    const history = await user.get(`/v1/proposals/${proposalId}/history`);
    expect(history.body.items[0].changes.coverLetter).toEqual({ old: 'The first draft.', new: 'The second draft.' });
  });

  it('lists similar cover letters of the user', async () => {
    const text =
      'Hello, I read your posting with care and would begin with what hurts most, as I did for others before you.';
    const old = await createProposal('Old', text.replace('Hello', 'Dear client'));
    await createProposal(
      'Other',
      'Something else entirely, written for a different client who asked for another thing.',
    );
    const proposalId = await createProposal('New');

    const { body } = await user.post(`/v1/ai/generations/${await createDraft(text)}/accept`, { proposalId });

    expect(body.similarLetters).toEqual([{ proposalId: old, similarity: expect.any(Number) }]);
    expect(body.similarLetters[0].similarity).toBeGreaterThan(0.6);
  });

  it('rejects a foreign proposal, an outdated version and a failed generation', async () => {
    const proposalId = await createProposal('Four');
    const generation = await createDraft('A draft.');
    const path = `/v1/ai/generations/${generation}/accept`;
    const stranger = await createSignedInCaller(app);
    const job = await stranger.post('/v1/jobs', { title: 'Foreign' });
    const { body: foreign } = await stranger.post('/v1/proposals', { jobId: job.body.id });
    fake.setBehaviour(() => ({ status: 400 }));
    const failed = await user.post('/v1/ai/generations', { type: 'cover_letter', model: 'gpt-4' });

    const answers = [
      await user.post(path, { proposalId: foreign.id }),
      await user.post(path, { proposalId }, { 'if-match': '"9"' }),
      await user.post(`/v1/ai/generations/${failed.body.generationId}/accept`, { proposalId }),
    ];

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [422, 'reference.not_found'],
      [412, 'precondition.failed'],
      [409, 'ai.generation_not_ready'],
    ]);
    expect((await stranger.get(`/v1/ai/letter-versions?proposalId=${proposalId}`)).body.items).toEqual([]);
  });
});

describe('profile and templates', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('replaces the profile as a whole, with versions, per tenant', async () => {
    const user = await createSignedInCaller(app);
    const empty = await user.get('/v1/profile');
    const first = await user.put('/v1/profile', { headline: 'Engineer', skills: ['SQL'], hourlyRate: '60' });
    const stale = await user.put('/v1/profile', { headline: 'x' }, { 'if-match': '"0"' });
    const second = await user.put('/v1/profile', { headline: 'Engineer' }, { 'if-match': '"1"' });

    expect([empty.body.version, first.body.version, stale.status, second.body.version]).toEqual([0, 1, 412, 2]);
    expect([first.body.hourlyRate, second.body]).toEqual([
      '60.00',
      expect.objectContaining({ headline: 'Engineer', skills: [], hourlyRate: null }),
    ]);
    expect((await (await createSignedInCaller(app)).get('/v1/profile')).body.headline).toBeNull();
  });

  it('creates, lists, changes and deletes templates with unique names', async () => {
    const user = await createSignedInCaller(app);
    const created = await user.post('/v1/templates', { name: 'short', type: 'message', body: 'Hello.' });
    const again = await user.post('/v1/templates', { name: 'short', type: 'message', body: 'Hello.' });
    const changed = await user.patch(`/v1/templates/${created.body.id}`, { body: 'Hi.' });
    const listed = await user.get('/v1/templates');
    const gone = await user.delete(`/v1/templates/${created.body.id}`);

    expect([created.status, again.status, again.body.code, changed.body.body, gone.status]).toEqual([
      201,
      409,
      'template.already_exists',
      'Hi.',
      204,
    ]);
    expect(listed.body.items).toEqual([expect.objectContaining({ id: created.body.id, body: 'Hi.', version: 2 })]);
    expect((await user.get(`/v1/templates/${created.body.id}`)).status).toBe(404);
  });

  it('sets the budget up to the ceiling, with audit rows', async () => {
    const user = await createSignedInCaller(app);
    const high = await user.put('/v1/ai/budget', { dailyUsd: '5.01' });
    const set = await user.put('/v1/ai/budget', { dailyUsd: '1.00', monthlyUsd: '20' });

    expect([high.status, high.body.errors[0].pointer]).toEqual([422, '/dailyUsd']);
    expect(set.body).toMatchObject({
      day: { budgetUsd: '1.00', leftUsd: '1.000000000000' },
      month: { budgetUsd: '20.00', limitUsd: '20.00' },
    });
    const logs = await user.get('/v1/audit/logs?table=ai_budgets');
    expect(logs.body.items).toHaveLength(2);
  });
});
