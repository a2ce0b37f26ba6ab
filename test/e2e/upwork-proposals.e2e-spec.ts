import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { SyncsService } from '../../src/sync/syncs.service';
import { createSignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { runAsUser } from '../support/run-as-user';
import type { TestApp } from '../support/test-app';
import { type ConnectedUser, startUpworkApp, type UpworkApp } from '../support/upwork-app';

type Item = Answer['body'];

const SENT_AT = '2026-11-01T09:30:00.000Z';
const CHANGED_AT = '2026-11-02T10:00:00.000Z';

/** The row that each proposal of the case `proposals-page` becomes, by Upwork's status. */
const PROPOSALS = [
  ['Accepted', 'submitted', '1500.00', 'fixed', SENT_AT],
  ['Accepted', 'submitted', '48.00', 'hourly', SENT_AT],
  ['Activated', 'submitted', '48.00', 'hourly', SENT_AT],
  ['Archived', 'archived', '48.00', 'hourly', '2026-10-01T09:30:00.000Z'],
  ['Declined', 'rejected', '48.00', 'hourly', SENT_AT],
  ['Hired', 'accepted', '48.00', 'hourly', SENT_AT],
  ['Offered', 'submitted', '48.00', 'hourly', SENT_AT],
  ['Rejected', 'rejected', '48.00', 'hourly', SENT_AT],
  ['Replaced', 'withdrawn', '48.00', 'hourly', SENT_AT],
  ['Withdrawn', 'withdrawn', '48.00', 'hourly', SENT_AT],
];

describe('proposals from Upwork', () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let app: TestApp;
  let ann: ConnectedUser;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ upwork, app } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
  });
  afterEach(async () => {
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  const synchronize = (...cases: string[]) => upworkApp.synchronize(ann, 'proposals', ...cases);

  /** Submits proposals on Upwork that changed an hour apart, the latest first. */
  function submitMany(count: number, statuses: readonly string[]): void {
    for (let n = 0; n < count; n++) {
      const { id } = upwork.marketplace.publish({ title: `Fortran ${n}` });
      const sent = upwork.marketplace.submit(ann.email, id, 'Hi', '10.00');
      const modifiedAt = new Date(Date.now() - (n + 1) * 3_600_000);
      Object.assign(sent, { status: statuses[n % statuses.length], modifiedAt });
    }
  }

  /** Changes the status of the latest proposal on Upwork, and synchronizes. */
  const setLatest = async (status: string) => {
    upwork.marketplace.setStatus(upwork.marketplace.proposals[0]!.id, status);
    return synchronize();
  };
  const readTimes = (id: number) =>
    app.db.query('superuser', 'SELECT won_at AS "wonAt", rejected_at AS "rejectedAt" FROM proposals WHERE id = $1', [
      id,
    ]);

  const pages = () => upwork.calls.filter(({ operation }) => operation === 'VendorProposals');
  const list = async (query = '') => (await ann.get(`/v1/proposals?limit=100${query}`)).body.items as Item[];
  const find = async (upworkStatus: string) => (await list()).find((item) => item.upworkStatus === upworkStatus);
  const history = async (id: number) => (await ann.get(`/v1/proposals/${id}/status-changes`)).body.items as Item[];

  it('have the meaning of their status there, its instant, the kind of bid, and the right job', async () => {
    const sync = await synchronize('current-user', 'proposals-page');

    expect(sync).toMatchObject({
      status: 'succeeded',
      figures: { created: 10, notSent: 3, ofTeamMates: 1, unreadable: 2, failed: 0 },
    });
    const rows = (await list()).map((item) => [
      item.upworkStatus,
      item.status,
      item.bidAmount,
      item.bidType,
      item.submittedAt,
    ]);
    expect(rows.sort()).toEqual(PROPOSALS);
    const { items: jobs } = (await ann.get('/v1/jobs?limit=100')).body;
    const byId = new Map(jobs.map((job: Item) => [job.upworkJobId, job.title]));
    expect(byId.get('~021991400000000000101')).toBe('A job (Accepted)');
    expect(byId.get('~021991400000000000113')).toBe('Private job on Upwork');
    const lists = ['Hired', 'Offered', 'Activated', 'Accepted', 'Declined', 'Withdrawn', 'Archived', 'Pending'];
    expect([...new Set(pages().map(({ variables }) => variables['status']))]).toEqual(lists);
    expect(
      pages()
        .slice(0, 2)
        .map(({ variables }) => variables['pagination']),
    ).toEqual([{ first: 20 }, { first: 20, after: 'eyJvIjoyMH0=' }]);
  });

  it('are counted by their statuses: Activated and Offered are answers, Archived and Withdrawn are not', async () => {
    await synchronize('current-user', 'proposals-page');

    const { body } = await ann.get('/v1/analytics/summary?from=2026-10-01&to=2026-11-30');

    // Answers: Activated, Offered, Hired, Declined, Rejected. Each changed 24.5 hours after it was sent.
    expect(body).toMatchObject({
      funnel: { proposalsSent: 10, answered: 5, interviews: 1, offers: 2, won: 1 },
      ...{ winRate: 0.1, answerRate: 0.5, medianAnswerSeconds: 88_200, medianInterviewSeconds: 88_200 },
      ...{ medianOfferSeconds: 88_200, medianWinSeconds: 88_200 },
    });
  });

  it('keep an unknown status as it is', async () => {
    const sync = await synchronize('current-user', 'proposals-unknown-status');

    expect(sync).toMatchObject({ status: 'succeeded', figures: { created: 1, unknownStatus: 1 } });
    expect(await list()).toMatchObject([{ upworkStatus: 'Shortlisted', status: 'submitted', submittedAt: SENT_AT }]);
  });

  it('have a history with the times of Upwork, from which the times of decisions are', async () => {
    await synchronize('current-user', 'proposals-page');

    const [hired, declined, accepted] = [await find('Hired'), await find('Declined'), await find('Accepted')];
    expect(await history(hired.id)).toMatchObject([
      { status: 'submitted', upworkStatus: null, changedAt: SENT_AT },
      { status: 'accepted', upworkStatus: 'Hired', changedAt: CHANGED_AT },
    ]);
    expect(await history(accepted.id)).toMatchObject([
      { status: 'submitted', upworkStatus: 'Accepted', changedAt: SENT_AT },
    ]);
    expect(declined.upworkReason).toBe('Budget too high');
    expect(await history(declined.id)).toMatchObject([
      { status: 'submitted', upworkStatus: null, upworkReason: null },
      { status: 'rejected', upworkStatus: 'Declined', upworkReason: 'Budget too high' },
    ]);
    expect(await find('Withdrawn')).toMatchObject({ upworkReason: 'Other: No time' });
    expect(accepted.upworkReason).toBeNull();
    const decisions = await app.db.query(
      'superuser',
      'SELECT won_at AS "wonAt", rejected_at AS "rejectedAt" FROM proposals WHERE id = ANY ($1) ORDER BY won_at',
      [[hired.id, declined.id, accepted.id]],
    );
    expect(decisions).toEqual([
      { wonAt: new Date(CHANGED_AT), rejectedAt: null },
      expect.objectContaining({ wonAt: null }),
      expect.objectContaining({ wonAt: null }),
    ]);
    expect(decisions).toContainEqual({ wonAt: null, rejectedAt: new Date(CHANGED_AT) });
    const stranger = await createSignedInCaller(app);
    expect((await stranger.get(`/v1/proposals/${hired.id}/status-changes`)).body.code).toBe('proposal.not_found');
  });

  it('have a history of each step, here and there', async () => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL' });
    const sent = upwork.marketplace.submit(ann.email, id, 'Hello', '10.00');
    for (const status of ['Accepted', 'Activated', 'Offered', 'Hired']) {
      upwork.marketplace.setStatus(sent.id, status);
      await synchronize();
    }
    const [proposal] = await list();
    await ann.post(`/v1/proposals/${proposal.id}/archive`);

    const changes = await history(proposal.id);
    expect(changes.map(({ status, upworkStatus }) => [status, upworkStatus])).toEqual([
      ['submitted', 'Accepted'],
      ['submitted', 'Activated'],
      ['submitted', 'Offered'],
      ['accepted', 'Hired'],
      ['archived', 'Hired'],
    ]);
    expect(changes[3].changedAt).toBe(sent.modifiedAt.toISOString());
  });

  it('that are open for the same job are each stored, with their own state and one audit row', async () => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL, twice' });
    const { body: job } = await ann.post('/v1/jobs', { title: 'COBOL, twice', upworkJobId: `~02${id}` });
    const first = upwork.marketplace.submit(ann.email, id, 'As a freelancer', '10.00');
    const second = upwork.marketplace.submit(ann.email, id, 'As an agency', '20.00');
    upwork.marketplace.setStatus(second.id, 'Activated');
    const find = async () =>
      Object.fromEntries((await list()).map((item) => [item.upworkProposalId, item])) as Record<string, Item>;

    expect(await synchronize()).toMatchObject({ status: 'succeeded', figures: { created: 2, failed: 0 } });

    const stored = await find();
    expect(stored).toMatchObject({
      [first.id]: { jobId: job.id, status: 'submitted', upworkStatus: 'Accepted', bidAmount: '10.00', version: 1 },
      [second.id]: { jobId: job.id, status: 'submitted', upworkStatus: 'Activated', bidAmount: '20.00', version: 1 },
    });
    await app.db.query('superuser', `UPDATE syncs SET list_positions = '{}'`);
    expect(await synchronize()).toMatchObject({ lastError: null, figures: { created: 0, moved: 0, unchanged: 2 } });
    expect(await find()).toEqual(stored);
    const audits = await app.db.query(
      'superuser',
      `SELECT action, new_values ->> 'upwork_proposal_id' AS id FROM audit_logs
       WHERE table_name = 'proposals' AND user_id = $1 ORDER BY new_values ->> 'upwork_proposal_id'`,
      [ann.id],
    );
    expect(audits).toEqual([first.id, second.id].map((id) => ({ action: 'INSERT', id })));
    const stranger = await createSignedInCaller(app);
    expect((await stranger.get('/v1/proposals')).body.items).toEqual([]);
    expect((await ann.post('/v1/proposals', { jobId: job.id })).body.code).toBe('proposal.already_open');

    upwork.marketplace.setStatus(first.id, 'Declined');
    expect(await synchronize()).toMatchObject({ figures: { created: 0, moved: 1 } });
    expect(await find()).toMatchObject({ [first.id]: { status: 'rejected' }, [second.id]: { status: 'submitted' } });
  });

  it('keep their job when the user changes its id', async () => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL, renamed' });
    const { body: job } = await ann.post('/v1/jobs', { title: 'COBOL, renamed', upworkJobId: `~02${id}` });
    const sent = upwork.marketplace.submit(ann.email, id, 'Hello', '10.00');
    await synchronize();
    await ann.patch(`/v1/jobs/${job.id}`, { upworkJobId: '~01a2b3c4d5e6f70819' });
    upwork.marketplace.setStatus(sent.id, 'Hired');

    expect(await synchronize()).toMatchObject({ lastError: null, figures: { moved: 1, failed: 0 } });

    expect(await list()).toMatchObject([{ jobId: job.id, status: 'accepted' }]);
    expect((await ann.get('/v1/jobs')).body.items).toHaveLength(1);
  });

  it('of which one was sent from the draft for the job leave the other beside it', async () => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL, drafted' });
    const other = upwork.marketplace.submit(ann.email, id, 'Another text', '10.00');
    Object.assign(other, { createdAt: new Date(SENT_AT) });
    const { body: job } = await ann.post('/v1/jobs', { title: 'COBOL, drafted', upworkJobId: `~02${id}` });
    const { body: draft } = await ann.post('/v1/proposals', { jobId: job.id, coverLetter: 'As written' });
    const sent = upwork.marketplace.submit(ann.email, id, 'As sent', '20.00');

    expect(await synchronize()).toMatchObject({ figures: { created: 1, moved: 1, failed: 0 } });

    expect(await list('&sort=createdAt')).toMatchObject([
      { id: draft.id, upworkProposalId: sent.id, coverLetter: 'As sent', status: 'submitted' },
      { upworkProposalId: other.id, coverLetter: 'Another text', status: 'submitted' },
    ]);
  });

  it.each(['Accepted', 'Declined', 'Withdrawn', 'Archived'])(
    'that were %s before the draft of another one for the job leave it as it is',
    async (status) => {
      const { id } = upwork.marketplace.publish({ title: 'COBOL, again' });
      const old = upwork.marketplace.submit(ann.email, id, 'The old letter', '10.00');
      Object.assign(old, { status, createdAt: new Date(SENT_AT), modifiedAt: new Date(CHANGED_AT) });
      const { body: job } = await ann.post('/v1/jobs', { title: 'COBOL, again', upworkJobId: `~02${id}` });
      const { body: draft } = await ann.post('/v1/proposals', { jobId: job.id, coverLetter: 'The new letter' });

      expect(await synchronize()).toMatchObject({ figures: { created: 1, moved: 0 } });

      const find = async () => (await ann.get(`/v1/proposals/${draft.id}`)).body;
      expect(await find()).toMatchObject({ status: 'draft', coverLetter: 'The new letter', upworkStatus: null });
      upwork.marketplace.submit(ann.email, id, 'The new letter, as sent', '20.00');
      await synchronize();
      expect(await find()).toMatchObject({ status: 'submitted', coverLetter: 'The new letter, as sent' });
      expect(await list()).toHaveLength(2);
    },
  );

  it('that were sent from a draft and declined before the first synchronisation become the draft', async () => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL, quickly' });
    const { body: job } = await ann.post('/v1/jobs', { title: 'COBOL, quickly', upworkJobId: `~02${id}` });
    const { body: draft } = await ann.post('/v1/proposals', { jobId: job.id, coverLetter: 'As written' });
    const sent = upwork.marketplace.submit(ann.email, id, 'As sent', '10.00');
    Object.assign(sent, { createdAt: new Date(Date.now() + 1_000) });
    upwork.marketplace.setStatus(sent.id, 'Declined');

    await synchronize();

    expect(await list()).toMatchObject([{ id: draft.id, status: 'rejected', coverLetter: 'As sent' }]);
  });

  describe('beside one that the user submitted here', () => {
    let jobId: number;
    let submitted: Item;
    let upworkJobId: string;

    beforeEach(async () => {
      upworkJobId = upwork.marketplace.publish({ title: 'COBOL, sent' }).id;
      jobId = (await ann.post('/v1/jobs', { title: 'COBOL, sent', upworkJobId: `~02${upworkJobId}` })).body.id;
      const content = { coverLetter: 'As written', bidAmount: '20.00', bidType: 'hourly' };
      const { body: draft } = await ann.post('/v1/proposals', { jobId, ...content });
      submitted = (await ann.post(`/v1/proposals/${draft.id}/submit`)).body;
    });

    /** Submits a proposal on Upwork that was sent `minutes` before the one here was written. */
    const submitBefore = (minutes: number, status: string) => {
      const sent = upwork.marketplace.submit(ann.email, upworkJobId, 'As sent', '10.00');
      const createdAt = new Date(Date.parse(submitted['createdAt']) - minutes * 60_000);
      return Object.assign(sent, { status, createdAt });
    };
    const findSubmitted = async () => (await ann.get(`/v1/proposals/${submitted.id}`)).body;

    it.each(['Declined', 'Withdrawn', 'Archived', 'Hired'])('and were %s before leave it open', async (status) => {
      submitBefore(600, status);

      expect(await synchronize()).toMatchObject({ figures: { created: 1, moved: 0 } });

      expect(await findSubmitted()).toEqual(submitted);
      const sent = upwork.marketplace.submit(ann.email, upworkJobId, 'The real one', '20.00');
      expect(await synchronize()).toMatchObject({ figures: { created: 0, moved: 1 } });
      expect(await findSubmitted()).toMatchObject({ status: 'submitted', upworkProposalId: sent.id });
    });

    it.each([
      ['open', 600, 'Accepted', 'submitted'],
      ['open with an interview', 600, 'Activated', 'submitted'],
      ['declined, and were sent minutes before it was recorded', 5, 'Declined', 'rejected'],
      ['declined, and were sent between the draft and its submission', -0.001, 'Declined', 'rejected'],
    ])('are that one when they are %s', async (_, minutes, upworkStatus, status) => {
      const { id } = submitBefore(minutes, upworkStatus);

      expect(await synchronize()).toMatchObject({ figures: { created: 0, moved: 1 } });

      expect(await list()).toMatchObject([{ id: submitted.id, upworkProposalId: id, status }]);
    });
  });

  it.each([
    ['the user archived', (id: number) => ann.post(`/v1/proposals/${id}/archive`)],
    ['Upwork archived', () => setLatest('Archived')],
  ])('that %s are rejected when the client declines, and stay archived after that', async (_, archive) => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL, closed' });
    upwork.marketplace.submit(ann.email, id, 'Hello', '10.00');
    await synchronize();
    const [proposal] = await list();
    await archive(proposal.id);
    expect(await list()).toMatchObject([{ status: 'archived' }]);

    await setLatest('Declined');

    const { modifiedAt } = upwork.marketplace.proposals[0]!;
    expect(await list()).toMatchObject([{ status: 'rejected', upworkStatus: 'Declined' }]);
    expect((await history(proposal.id)).at(-1)).toMatchObject({
      ...{ status: 'rejected', upworkStatus: 'Declined', changedAt: modifiedAt.toISOString() },
    });
    const { funnel } = (await ann.get('/v1/analytics/summary')).body;
    expect(funnel).toMatchObject({ proposalsSent: 1, answered: 1 });
    await ann.post(`/v1/proposals/${proposal.id}/archive`);
    await app.db.query('superuser', `UPDATE syncs SET list_positions = '{}'`);
    expect(await synchronize()).toMatchObject({ figures: { moved: 0 } });
    await setLatest('Archived');
    expect(await list()).toMatchObject([{ status: 'archived' }]);
    expect(await readTimes(proposal.id)).toEqual([{ wonAt: null, rejectedAt: modifiedAt }]);
  });

  it('that the user archived are won when the client hires, and stay archived after that', async () => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL, after all' });
    const sent = upwork.marketplace.submit(ann.email, id, 'Hello', '10.00');
    await synchronize();
    const [proposal] = await list();
    await ann.post(`/v1/proposals/${proposal.id}/archive`);
    upwork.marketplace.setStatus(sent.id, 'Hired');

    await synchronize();

    const readWonAt = async () =>
      (
        await app.db.query<{ wonAt: Date }>('superuser', 'SELECT won_at AS "wonAt" FROM proposals WHERE id = $1', [
          proposal.id,
        ])
      )[0]!.wonAt;
    expect([await list(), await readWonAt()]).toMatchObject([[{ status: 'accepted' }], sent.modifiedAt]);
    await ann.post(`/v1/proposals/${proposal.id}/archive`);
    await app.db.query('superuser', `UPDATE syncs SET list_positions = '{}'`);
    expect(await synchronize()).toMatchObject({ figures: { moved: 0 } });
    expect([await list(), await readWonAt()]).toMatchObject([[{ status: 'archived' }], sent.modifiedAt]);
  });

  it('without a time of change are won when they were sent', async () => {
    const { id } = upwork.marketplace.publish({ title: 'COBOL, hired' });
    const sent = upwork.marketplace.submit(ann.email, id, 'Hello', '10.00');
    Object.assign(sent, { status: 'Hired', createdAt: new Date(SENT_AT) });
    upwork.transformResponse = (_, answer) => {
      for (const { node } of answer.data['vendorProposals']?.edges ?? [])
        Object.assign(node!, { auditDetails: { ...(node as Item).auditDetails, modifiedDateTime: null } });
      return answer;
    };

    await synchronize();

    expect(await app.db.query('superuser', 'SELECT won_at FROM proposals WHERE user_id = $1', [ann.id])).toEqual([
      { won_at: new Date(SENT_AT) },
    ]);
  });

  it('are read once over overlapping lists, and then only when they change', async () => {
    submitMany(100, ['Accepted', 'Accepted', 'Hired', 'Declined', 'Withdrawn', 'Archived', 'Offered', 'Activated']);

    expect(await synchronize()).toMatchObject({ status: 'succeeded', figures: { created: 100, unchanged: 0 } });
    const { length: first } = pages();
    upwork.calls.length = 0;

    expect(await synchronize()).toMatchObject({ figures: { created: 0, moved: 0 } });
    expect([first, pages().length]).toEqual([12, 8]);
    upwork.marketplace.setStatus(upwork.marketplace.proposals[80]!.id, 'Hired');
    upwork.calls.length = 0;

    expect(await synchronize()).toMatchObject({ figures: { created: 0, moved: 1 } });
    expect(pages()).toHaveLength(8);
    const [stored] = await app.db.query('superuser', 'SELECT count(*)::integer FROM proposals WHERE user_id = $1', [
      ann.id,
    ]);
    expect(stored).toEqual({ count: 100 });
  });

  it('are read again while a list cannot be read whole, at most three times, and other lists are read', async () => {
    submitMany(45, ['Accepted']);
    await synchronize();
    await app.db.query('superuser', `UPDATE syncs SET list_positions = '{}'`);
    upwork.transformResponse = ({ variables }, answer) => {
      if (variables['status'] === 'Accepted') answer.data['vendorProposals']!.edges.push({ node: null });
      return answer;
    };

    const counts: number[] = [];
    for (let n = 0; n < 4; n++) {
      upwork.calls.length = 0;
      await synchronize();
      counts.push(pages().filter(({ variables }) => variables['status'] === 'Accepted').length);
    }

    expect(counts).toEqual([3, 3, 3, 1]);
  });

  it('of one list that fails do not affect the others, and are read in the next run', async () => {
    submitMany(4, ['Hired', 'Accepted', 'Archived', 'Offered']);
    upwork.faults.schedule('graphql', 'none');
    upwork.faults.schedule('graphql', 'html');

    const failed = await synchronize();

    expect(failed).toMatchObject({ status: 'succeeded', figures: { failedLists: 1, failed: 0 } });
    expect(failed.lastError).toContain('VendorProposals: Upwork answered 200 with text/html instead of JSON');
    expect(await synchronize()).toMatchObject({ lastError: null });
    expect(await list()).toHaveLength(4);
  });

  it('are read over several runs when a run ends early within a list', async () => {
    submitMany(45, ['Accepted']);
    const stop = new AbortController();
    upwork.transformResponse = ({ variables }, answer) => {
      if (variables['status'] === 'Accepted') stop.abort();
      return answer;
    };
    const { body } = await ann.post('/v1/proposals/sync');
    const { id } = body.items[0];
    const cursors = () =>
      pages().flatMap(({ variables: { status, pagination } }) =>
        status === 'Accepted' ? [(pagination as { after?: string }).after] : [],
      );

    expect(await runAsUser(ann.id, () => app.get(SyncsService).run(id, stop.signal))).toEqual({
      status: 'interrupted',
    });
    expect(cursors()).toEqual([undefined]);
    upwork.calls.length = 0;
    await upworkApp.worker.runTask('sync-connections');
    const ofSecondRun = cursors();
    upwork.calls.length = 0;

    expect(await synchronize()).toMatchObject({ status: 'succeeded', figures: { created: 0 } });
    expect([ofSecondRun.length, ofSecondRun[0], cursors()]).toEqual([2, expect.any(String), [undefined]]);
    expect(await list()).toHaveLength(45);
  });

  it('are all read again when the user chooses another organization during a run', async () => {
    submitMany(2, ['Accepted']);
    const { id } = (await ann.post('/v1/proposals/sync')).body.items[0];
    upwork.transformResponse = async (_, answer) => {
      upwork.transformResponse = (__, next) => next;
      await app.db.query('superuser', `UPDATE user_tokens SET organization_id = 'org-other' WHERE id = $1`, [
        ann.connectionId,
      ]);
      return answer;
    };
    const run = () => runAsUser(ann.id, () => app.get(SyncsService).run(id));
    const read = () =>
      app.db.query(
        'superuser',
        `SELECT next_at <= now() AS "isDue", list_positions ? 'Accepted' AS "isRead" FROM syncs WHERE id = $1`,
        [id],
      );

    await run();

    expect(await read()).toEqual([{ isDue: true, isRead: false }]);
    expect(await run()).toMatchObject({ status: 'succeeded', counts: { unchanged: 2 } });
    expect(await read()).toEqual([{ isDue: false, isRead: true }]);
  });

  it('of a list are read from its start when the cursor of an earlier run is void', async () => {
    submitMany(2, ['Accepted']);
    const position = { readUntil: null, readWholeAt: null, incompleteRuns: 0 };
    const rest = { after: 'void', startedAt: new Date().toISOString(), latest: 0, isComplete: true };
    await app.db.query('superuser', `UPDATE syncs SET list_positions = $1 WHERE kind = 'proposals'`, [
      JSON.stringify({ Accepted: { ...position, rest } }),
    ]);

    expect(await synchronize()).toMatchObject({ status: 'succeeded', figures: { failedLists: 1 } });
    expect(await synchronize()).toMatchObject({ status: 'succeeded', lastError: null });
    expect(await list()).toHaveLength(2);
  });

  it('that the API key may not read are reported with the permission', async () => {
    const serve = () => upwork.cases.serve('permission-missing');
    upwork.transformResponse = (_, answer) => {
      serve();
      return answer;
    };
    upwork.cases.serve('current-user');
    const failed = await synchronize();

    expect(failed).toMatchObject({ missingPermissions: ['VendorProposalsConnection.edges'] });
    upwork.cases.clear();
    upwork.transformResponse = (_, answer) => answer;
    expect(await synchronize()).toMatchObject({ missingPermissions: [], lastError: null });
  });
});
