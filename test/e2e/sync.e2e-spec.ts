import type { SyncKind } from '../../src/sync/sync-run';
import { SyncsService } from '../../src/sync/syncs.service';
import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { FakeAnswer } from '../../src/demo/fake-upwork/fake-schema';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { Caller, type Answer } from '../support/caller';
import { listEmails } from '../support/emails';
import type { ManualWorker } from '../support/test-worker';
import { startUpworkApp, type ConnectedUser, type UpworkApp } from '../support/upwork-app';
import { runAsUser } from '../support/run-as-user';

/** Row of a list. */
type Item = Answer['body'];

describe('synchronisation with Upwork', () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let ann: ConnectedUser;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ upwork, app, worker } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser('org-ann');
    upwork.partialEvery = 50;
  });
  afterEach(async () => {
    upwork.marketplace.jobs.length = 0;
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  /** Requests a synchronisation over HTTP, runs the worker, and returns the result. */
  const sync = (kind: SyncKind) => upworkApp.synchronize(ann, kind);

  it('covers the way from a search to an accepted proposal', async () => {
    const posted = upwork.marketplace.publish({
      title: 'Speed up PostgreSQL',
      skills: ['PostgreSQL'],
      hourly: ['40', '60'],
    });
    await ann.post('/v1/saved-searches', { name: 'Databases', query: 'postgresql' });
    expect(await sync('jobs')).toMatchObject({
      status: 'succeeded',
      connectionId: ann.connectionId,
      figures: { searches: 1, created: 1 },
    });
    const { body: jobs } = await ann.get('/v1/jobs');
    expect(jobs.items).toMatchObject([
      {
        title: posted.title,
        upworkJobId: `~02${posted.id}`,
        jobType: 'hourly',
        hourlyRateMin: '40.00',
        country: 'Germany',
        category: 'Web, Mobile & Software Dev',
      },
    ]);

    const { body: draft } = await ann.post('/v1/proposals', {
      jobId: jobs.items[0].id,
      coverLetter: 'Draft',
      bidAmount: '45.00',
      bidType: 'hourly',
    });
    const sent = upwork.marketplace.submit(ann.email, posted.id, 'What was sent', '48.00');
    expect(await sync('proposals')).toMatchObject({ status: 'succeeded', figures: { moved: 1 } });
    const { body: submitted } = await ann.get(`/v1/proposals/${draft.id}`);
    expect(submitted).toMatchObject({
      status: 'submitted',
      upworkProposalId: sent.id,
      coverLetter: 'What was sent',
      bidAmount: '48.00',
    });

    upwork.marketplace.writeMessage(sent.id, 'client', 'When can you start?');
    expect(await sync('messages')).toMatchObject({ status: 'succeeded', figures: { rooms: 1, created: 1 } });
    expect((await ann.get('/v1/messages/unread-count')).body).toEqual({ unread: 1 });
    upwork.marketplace.writeMessage(sent.id, 'freelancer', 'On Monday.');
    expect(await sync('messages')).toMatchObject({ figures: { created: 1, read: 1 } });
    const { body: messages } = await ann.get(`/v1/messages?jobId=${draft.jobId}&sort=createdAt`);
    expect(messages.items.map((m: Item) => [m.senderType, m.content, m.isRead])).toEqual([
      ['client', 'When can you start?', true],
      ['freelancer', 'On Monday.', true],
    ]);

    upwork.marketplace.setStatus(sent.id, 'Hired');
    await sync('proposals');
    expect((await ann.get(`/v1/proposals/${draft.id}`)).body.status).toBe('accepted');
    const { body: history } = await ann.get(`/v1/proposals/${draft.id}/history`);
    expect(history.items.map((change: Item) => change.actor.kind)).toEqual(['task', 'task', 'user']);
    expect(upwork.calls.at(-1)?.tenant).toBe('org-ann');
  });

  it('reads on behind a page of jobs that Upwork could not read', async () => {
    await ann.post('/v1/saved-searches', { name: 'Vue', query: 'vue' });
    await sync('jobs');
    for (let n = 0; n < 51; n++) upwork.marketplace.publish({ title: `Vue ${n}`, amount: '900' });
    upwork.partialEvery = 0;
    upwork.transformResponse = (_, answer) => {
      const { edges } = answer.data['marketplaceJobPostingsSearch'] as { edges: unknown[] };
      if (edges.length === 50) edges.fill({ node: null });
      return answer;
    };

    expect(await sync('jobs')).toMatchObject({ figures: { created: 1, unreadable: 50 } });
  });

  it('is idempotent, keeps favorite and status, and detects a renewal', async () => {
    const posted = upwork.marketplace.publish({ title: 'Vue dashboards', amount: '900' });
    await ann.post('/v1/saved-searches', { name: 'Vue', query: 'vue' });
    await sync('jobs');
    const [job] = (await ann.get('/v1/jobs')).body.items;
    await ann.patch(`/v1/jobs/${job.id}`, { isFavorite: true, status: 'archived' });

    expect(await sync('jobs')).toMatchObject({ figures: { created: 0, updated: 0, unchanged: 1 } });
    // Upwork's instants of jobs have whole seconds.
    posted.renewedAt = new Date(Math.floor(Date.now() / 1_000) * 1_000);
    expect(await sync('jobs')).toMatchObject({ figures: { created: 0, updated: 1 } });

    const { body } = await ann.get(`/v1/jobs/${job.id}`);
    expect(body).toMatchObject({
      isFavorite: true,
      status: 'archived',
      budgetMax: '900.00',
      clientInfo: { renewedAt: posted.renewedAt.toISOString() },
    });
  });

  it('reads several pages, and updates an edited story', async () => {
    for (let n = 0; n < 120; n++) upwork.marketplace.publish({ title: `Rust job ${n}`, amount: '100' });
    await ann.post('/v1/saved-searches', { name: 'Rust', query: 'rust' });
    expect(await sync('jobs')).toMatchObject({ figures: { created: 120 } });

    const posted = upwork.marketplace.publish({ title: 'Never searched for' });
    const sent = upwork.marketplace.submit(ann.email, posted.id, 'Hello', '10.00');
    expect(await sync('proposals')).toMatchObject({ figures: { created: 1 } });
    const story = upwork.marketplace.writeMessage(sent.id, 'client', 'Frist');
    await sync('messages');
    story.message = 'First';
    story.updatedAt = new Date();

    expect(await sync('messages')).toMatchObject({ figures: { created: 0, updated: 1 } });
    expect((await ann.get('/v1/messages')).body.items[0]).toMatchObject({ content: 'First' });
  });

  it('stores an unknown status of Upwork, and counts the proposal as submitted', async () => {
    const posted = upwork.marketplace.publish({ title: 'Lisp for a bank', amount: '900' });
    await ann.post('/v1/saved-searches', { name: 'Lisp', query: 'lisp' });
    await sync('jobs');
    const [job] = (await ann.get('/v1/jobs')).body.items;
    const { body: draft } = await ann.post('/v1/proposals', {
      jobId: job.id,
      coverLetter: 'Draft',
      bidAmount: '900.00',
      bidType: 'fixed',
    });
    const sent = upwork.marketplace.submit(ann.email, posted.id, 'Sent', '900.00');
    upwork.marketplace.setStatus(sent.id, 'Shortlisted');

    expect(await sync('proposals')).toMatchObject({ figures: { moved: 1, unknownStatus: 1 } });
    expect((await ann.get(`/v1/proposals/${draft.id}`)).body).toMatchObject({
      status: 'submitted',
      upworkStatus: 'Shortlisted',
      upworkProposalId: sent.id,
    });
    expect(await sync('proposals')).toMatchObject({ figures: { moved: 0, unchanged: 1, unknownStatus: 1 } });
    upwork.marketplace.setStatus(sent.id, 'Hired');
    await sync('proposals');
    expect((await ann.get('/v1/proposals')).body.items[0]).toMatchObject({ status: 'accepted', upworkStatus: 'Hired' });
  });

  it('updates an edited story after pages without changes', async () => {
    const sent = upwork.marketplace.submit(
      ann.email,
      upwork.marketplace.publish({ title: 'A long talk' }).id,
      'Hello',
      '10.00',
    );
    const anHourAgo = new Date(Date.now() - 3_600_000);
    const stories = Array.from({ length: 110 }, (_, n) =>
      upwork.marketplace.writeMessage(sent.id, 'client', `Story ${n}`),
    );
    for (const story of stories) Object.assign(story, { createdAt: anHourAgo, updatedAt: anHourAgo });
    expect(await sync('messages')).toMatchObject({ figures: { created: 110 } });
    Object.assign(stories[2]!, { message: 'Said better', updatedAt: new Date() });

    expect(await sync('messages')).toMatchObject({ figures: { created: 0, updated: 1 } });
  });

  it.each(['html', 'empty', '500', 'cut'] as const)(
    'reports an error when Upwork answers %s, and recovers afterwards',
    async (fault) => {
      await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
      upwork.faults.schedule('graphql', fault, 3);

      const failed = await sync('jobs');
      upwork.faults.clear();

      expect(failed).toMatchObject({ status: 'failed', lastError: expect.stringContaining('Upwork') });
      expect(await sync('jobs')).toMatchObject({ status: 'succeeded', lastError: null });
    },
  );

  it('counts every new match once, even when the run was interrupted', async () => {
    for (let n = 0; n < 120; n++) upwork.marketplace.publish({ title: `Kotlin job ${n}`, amount: '100' });
    await ann.post('/v1/saved-searches', { name: 'Kotlin', query: 'kotlin', alertHours: 168 });
    await app.db.query('superuser', 'UPDATE saved_searches SET last_alerted_at = now()');
    upwork.faults.schedule('graphql', 'none');
    upwork.faults.schedule('graphql', '500', 3);

    expect(await sync('jobs')).toMatchObject({ status: 'failed' });
    expect((await ann.get('/v1/saved-searches')).body.items[0]).toMatchObject({ newMatches: 50 });
    expect(await sync('jobs')).toMatchObject({ status: 'succeeded', figures: { created: 70, unchanged: 50 } });
    expect((await ann.get('/v1/saved-searches')).body.items[0]).toMatchObject({ newMatches: 120 });
  });

  it('searches everything again when the query changes', async () => {
    const anHourAgo = new Date(Date.now() - 7_200_000);
    for (let n = 0; n < 60; n++)
      upwork.marketplace.publish({ title: `Scala job ${n}`, amount: '100', publishedAt: anHourAgo });
    const { body: search } = await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    await sync('jobs');
    await ann.patch(`/v1/saved-searches/${search.id}`, { query: 'scala' });

    expect(await sync('jobs')).toMatchObject({ figures: { created: 60 } });
  });

  it.each([
    ['permission-missing', "the API key lacks Upwork's permission for VendorProposalsConnection.edges", 'fulfilled'],
    ['unknown-document', 'The operator must update it.', 'rejected'],
  ])('is not retried after %s; the user reads why, the operator only of their own faults', async (name, words, run) => {
    await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    upwork.cases.serve(name);
    const calls = upwork.calls.length;
    const almostADayLater = Date.now() + 86_000_000;

    const { body } = await ann.post('/v1/jobs/sync');
    const [ended] = await Promise.allSettled([worker.runTask('sync-connections')]);

    expect(ended).toMatchObject({ status: run });
    const { body: failed } = await ann.get(`/v1/syncs/${body.items[0].id}`);
    expect(failed).toMatchObject({ status: 'failed', lastError: expect.stringContaining(words) });
    expect(upwork.calls.length - calls).toBe(1);
    expect(Date.parse(failed.nextRunAt)).toBeGreaterThan(almostADayLater);
    expect(await sync('jobs')).toMatchObject({ status: 'succeeded' });
  });

  it('refreshes an access token that became void early, and continues', async () => {
    await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    const refreshes = upwork.grants.refreshes;
    upwork.grants.expireAll();

    expect(await sync('jobs')).toMatchObject({ status: 'succeeded' });
    expect(upwork.grants.refreshes - refreshes).toBe(1);
  });

  it('detects revoked access at the next call', async () => {
    await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    upwork.grants.revokeAll();

    expect(await sync('jobs')).toMatchObject({ status: 'failed', lastError: expect.stringContaining('invalid_grant') });
    await worker.runTask('refresh-connections');
    await worker.runTask('deliver-alerts');

    expect((await ann.get(`/v1/tokens/${ann.connectionId}`)).body).toMatchObject({ status: 'reconnect_needed' });
    expect(
      (await listEmails(await createSignedInCaller(app, { role: 'admin' }), ann.email)).map(({ subject }) => subject),
    ).toEqual(['Reconnect Gigvault to Upwork']);
    expect((await ann.post('/v1/jobs/sync')).body.code).toBe('token.not_connected');
  });

  it('retries automatically after one fault', async () => {
    await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    upwork.faults.schedule('graphql', '429');

    expect(await sync('jobs')).toMatchObject({ status: 'succeeded' });
  });

  it('emails new matches at most once per interval', async () => {
    await ann.post('/v1/saved-searches', { name: 'Go', query: 'golang', alertHours: 24 });
    for (const title of ['Golang one', 'Golang two']) {
      upwork.marketplace.publish({ title });
      await sync('jobs');
      await worker.runTask('deliver-alerts');
    }

    const emails = await listEmails(await createSignedInCaller(app, { role: 'admin' }), ann.email);
    expect(emails.map(({ text }) => text.split('\n')[0])).toEqual(['Go: 1']);
    expect((await ann.get('/v1/saved-searches')).body.items[0]).toMatchObject({ newMatches: 1 });
  });

  /** Invalid nodes, as Upwork or other users may produce them. */
  const NUL_AND_HALF = '\0\ud800';
  const buildInvalidNodes = (node: Record<string, unknown>) => [
    { node: null },
    null,
    'a text',
    { node: { ...node, id: null } },
    { node: { ...node, id: 'x\0' } },
    { node: { ...node, id: { of: 'another shape' } } },
    {},
  ];

  it('skips and counts unreadable jobs, and keeps the others', async () => {
    upwork.partialEvery = 0;
    upwork.marketplace.publish({ title: `Elixir ${NUL_AND_HALF}one`, description: NUL_AND_HALF });
    await ann.post('/v1/saved-searches', { name: 'Elixir', query: 'elixir' });
    upwork.transformResponse = (_, answer) => {
      const { edges } = answer.data['marketplaceJobPostingsSearch']!;
      const { node } = edges[0]!;
      edges.push(...(buildInvalidNodes(node!) as FakeAnswer['data'][string]['edges']), {
        node: { ...node, title: null },
      });
      return {
        ...answer,
        errors: [{ message: 'null in a non-null field', path: ['marketplaceJobPostingsSearch', 'edges', 1, 'node'] }],
      };
    };

    expect(await sync('jobs')).toMatchObject({
      status: 'succeeded',
      lastError: null,
      figures: { searches: 1, created: 1, unreadable: 8 },
    });
    expect((await ann.get('/v1/jobs')).body.items).toMatchObject([{ title: 'Elixir one' }]);
  });

  it('skips and counts unreadable and failed proposals, and stores the others', async () => {
    upwork.partialEvery = 0;
    upwork.marketplace.submit(
      ann.email,
      upwork.marketplace.publish({ title: 'Perl' }).id,
      `Hello ${NUL_AND_HALF}`,
      '10.00',
    );
    upwork.transformResponse = ({ variables }, answer) => {
      if (variables['status'] !== 'Accepted') return answer;
      const { edges } = answer.data['vendorProposals']!;
      const node = edges[0]!.node!;
      const other = { ...node, id: '7', marketplaceJobPosting: { id: '8', content: { title: 'x' } } };
      edges.unshift(
        ...(buildInvalidNodes(node) as FakeAnswer['data'][string]['edges']),
        { node: { ...node, status: null } },
        { node: { ...other, auditDetails: { createdDateTime: { rawValue: 'soon' } } } },
        { node: { ...node, id: '9' } },
      );
      return answer;
    };
    await app.db.query('superuser', `ALTER TABLE proposals ADD CONSTRAINT refused CHECK (upwork_proposal_id <> '9')`);

    const result = await sync('proposals');

    await app.db.query('superuser', 'ALTER TABLE proposals DROP CONSTRAINT refused');
    expect(result).toMatchObject({
      status: 'succeeded',
      lastError: '1 of 10 failed. The first: An internal error occurred',
      figures: { created: 1, failed: 1, unreadable: 9 },
    });
    expect((await ann.get('/v1/proposals')).body.items).toMatchObject([{ coverLetter: 'Hello ' }]);
  });

  it('skips unreadable stories, and stores duplicates once', async () => {
    upwork.partialEvery = 0;
    const sent = upwork.marketplace.submit(
      ann.email,
      upwork.marketplace.publish({ title: 'Ada' }).id,
      'Hello',
      '10.00',
    );
    upwork.marketplace.writeMessage(sent.id, 'client', `One${NUL_AND_HALF}`);
    upwork.marketplace.writeMessage(sent.id, 'client', '🙂'.repeat(50_001));
    upwork.transformResponse = (_, answer) => {
      const { edges = [] } = answer.data['roomStories'] ?? {};
      if (edges.length === 0) return answer;
      const node = edges[0]!.node!;
      const system = { node: { ...node, id: '99', message: null, user: null } };
      edges.push(
        ...(buildInvalidNodes(node) as FakeAnswer['data'][string]['edges']),
        system,
        { node },
        { node: { ...node, createdDateTime: 'soon' } },
      );
      return answer;
    };

    expect(await sync('messages')).toMatchObject({
      status: 'succeeded',
      lastError: null,
      figures: { rooms: 1, created: 2, unreadable: 8, failedRooms: 0 },
    });
    expect((await ann.get('/v1/messages')).body.items.map(({ content }: Item) => [...content].length).sort()).toEqual([
      3, 50_000,
    ]);
  });

  it('reads each proposal once, though the lists overlap and have several pages', async () => {
    const { id } = upwork.marketplace.publish({ title: 'Fortran' });
    upwork.marketplace.setStatus(upwork.marketplace.submit(ann.email, id, 'Not sent', '10.00').id, 'Pending');
    for (let n = 0; n < 25; n++) {
      upwork.marketplace.submit(ann.email, upwork.marketplace.publish({ title: `Fortran ${n}` }).id, 'Hi', '10.00');
    }

    expect(await sync('proposals')).toMatchObject({ figures: { created: 25, unchanged: 0, notSent: 1, failed: 0 } });
    expect(await sync('proposals')).toMatchObject({ figures: { created: 0, unchanged: 25, notSent: 1, failed: 0 } });
  });

  it('isolates failures of searches', async () => {
    upwork.marketplace.publish({ title: 'Cobol payroll' });
    for (const name of ['Broken', 'Cobol']) await ann.post('/v1/saved-searches', { name, query: name.toLowerCase() });
    upwork.transformResponse = ({ variables }, answer) =>
      JSON.stringify(variables).includes('broken') ? { data: null } : answer;

    const done = await sync('jobs');

    expect(done).toMatchObject({ status: 'succeeded', figures: { searches: 1, created: 1, failedSearches: 1 } });
    expect(done.lastError).toContain('1 of 2 failed. The first: SearchJobs');
    const { items } = (await ann.get('/v1/saved-searches')).body;
    expect(items.map((search: Item) => [search.lastError !== null, search.lastSearchedAt !== null])).toEqual([
      [true, false],
      [false, true],
    ]);
    upwork.transformResponse = (_, answer) => answer;
    await sync('jobs');
    expect((await ann.get('/v1/saved-searches')).body.items.map((search: Item) => search.lastError)).toEqual([
      null,
      null,
    ]);
  });

  it('tries every search in turn, also when the first fifty always fail', async () => {
    upwork.marketplace.publish({ title: 'Cobol payroll' });
    for (let n = 0; n < 50; n++) await ann.post('/v1/saved-searches', { name: `Broken ${n}`, query: 'broken' });
    await ann.post('/v1/saved-searches', { name: 'Cobol', query: 'cobol' });
    upwork.transformResponse = ({ variables }, answer) =>
      JSON.stringify(variables).includes('broken') ? { data: null } : answer;

    expect(await sync('jobs')).toMatchObject({ status: 'failed' });
    const figures = { searches: 1, created: 1, failedSearches: 49 };
    expect(await sync('jobs')).toMatchObject({ status: 'succeeded', figures });

    upwork.transformResponse = (_, answer) => answer;
    const { items } = (await ann.get('/v1/saved-searches?limit=100')).body;
    await ann.patch(`/v1/saved-searches/${items[48].id}`, { query: 'cobol -java' });
    await sync('jobs');
    expect((await ann.get(`/v1/saved-searches/${items[48].id}`)).body.lastSearchedAt).not.toBeNull();
  });

  it('isolates failures of rooms, and retries a room that Upwork could not return', async () => {
    const rooms = ['One', 'Two'].map((title) =>
      upwork.marketplace.submit(ann.email, upwork.marketplace.publish({ title }).id, 'Hello', '10.00'),
    );
    for (const { id } of rooms) upwork.marketplace.writeMessage(id, 'client', 'News');
    upwork.faults.schedule('graphql', 'none', 2);
    upwork.faults.schedule('graphql', '500', 3);

    expect(await sync('messages')).toMatchObject({
      status: 'succeeded',
      lagSeconds: null,
      figures: { rooms: 1, failedRooms: 1, created: 1 },
    });
    expect(await sync('messages')).toMatchObject({
      status: 'succeeded',
      lastError: null,
      figures: { rooms: 2, failedRooms: 0, created: 1 },
    });
  });

  it('does not delay other tenants when one waits for answers', async () => {
    const bob = await upworkApp.connectUser('org-bob');
    for (const user of [ann, bob]) await user.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    const release: (() => void)[] = [];
    const asked = new Map<string, () => void>();
    const askedBy = (email: string) => new Promise<void>((resolve) => asked.set(email, resolve));
    upwork.transformResponse = async ({ user }, answer) => {
      asked.get(user)?.();
      if (user === ann.email) await new Promise<void>((resolve) => release.push(resolve));
      return answer;
    };
    await ann.post('/v1/jobs/sync');
    await ann.post('/v1/proposals/sync');

    const annAsked = askedBy(ann.email);
    const run = worker.runTask('sync-connections');
    await annAsked;
    const bobAsked = askedBy(bob.email);
    await bob.post('/v1/jobs/sync');
    await bobAsked;

    upwork.transformResponse = (_, answer) => answer;
    for (const go of release) go();
    await run;
    expect((await ann.get('/v1/syncs')).body.items.map((shown: Item) => shown.status).sort()).toEqual([
      'queued',
      'succeeded',
      'succeeded',
    ]);
  });

  it('runs again at once when it was requested during a run that fails', async () => {
    await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    const { body } = await ann.post('/v1/jobs/sync');
    upwork.transformResponse = async () => {
      await ann.post('/v1/jobs/sync');
      return { data: null, errors: [{ message: 'not enough oauth2 permissions/scopes' }] };
    };
    await runAsUser(ann.id, () => app.get(SyncsService).run(body.items[0].id));
    upwork.transformResponse = (_, answer) => answer;
    expect((await ann.get(`/v1/syncs/${body.items[0].id}`)).body.status).toBe('queued');

    await worker.runTask('sync-connections');

    expect((await ann.get(`/v1/syncs/${body.items[0].id}`)).body.status).toBe('succeeded');
  });

  it('names at most fifty missing permissions, and a success that cannot be stored is a failure', async () => {
    await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    upwork.marketplace.publish({ title: 'x' });
    const message = 'not enough oauth2 permissions/scopes';
    upwork.transformResponse = (_, answer) => ({
      ...answer,
      errors: Array.from({ length: 150 }, (_each, n) => ({ message, path: ['edges', n, `field${n}`] })),
    });
    const done = await sync('jobs');
    expect(done).toMatchObject({ status: 'succeeded', lastError: null });
    expect(done.missingPermissions).toHaveLength(50);

    const limit = 'syncs_missing_permissions_count';
    const setLimit = async (count: number): Promise<void> => {
      await app.db.query('superuser', `ALTER TABLE syncs DROP CONSTRAINT ${limit}`);
      const check = `CHECK (cardinality(missing_permissions) <= ${count})`;
      await app.db.query('superuser', `ALTER TABLE syncs ADD CONSTRAINT ${limit} ${check}`);
    };
    await app.db.query('superuser', `UPDATE syncs SET missing_permissions = '{}'`);
    await setLimit(10);
    expect(await sync('jobs')).toMatchObject({ status: 'failed', lastError: 'An internal error occurred' });
    await setLimit(100);
  });

  it('can be requested once in 30 s per kind', async () => {
    const strict = await startApp({ sharedWith: app, settings: { UPWORK_SYNC_INTERVAL_SECONDS: '30' } });
    const at = new Caller(strict.url, ann.token);

    const accepted = [await at.post('/v1/jobs/sync'), await at.post('/v1/messages/sync')];

    expect(accepted.map(({ status, headers }) => [status, headers.get('location')])).toEqual([
      [202, '/v1/syncs'],
      [202, '/v1/syncs'],
    ]);
    const refused = await at.post('/v1/jobs/sync');

    expect([refused.status, refused.body.code]).toEqual([429, 'rate.limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30);
    await app.db.query('superuser', `UPDATE syncs SET requested_at = requested_at - interval '30 s'`);
    expect((await at.post('/v1/jobs/sync')).status).toBe(202);
    await strict.close();
  });

  it('runs once when several workers claim it', async () => {
    await ann.post('/v1/saved-searches', { name: 'Any', query: 'x' });
    const { body } = await ann.post('/v1/jobs/sync');
    const before = upwork.calls.length;
    const syncs = app.get(SyncsService);

    const results = await Promise.all([1, 2, 3].map(() => runAsUser(ann.id, () => syncs.run(body.items[0].id))));

    expect(results.map(({ status }) => status).sort()).toEqual(['not_due', 'not_due', 'succeeded']);
    expect(upwork.calls.length - before).toBe(1);
  });

  it('needs a connection, and is hidden from other users', async () => {
    const bob = await createSignedInCaller(app);
    const { body } = await ann.get('/v1/syncs');

    expect((await bob.post('/v1/jobs/sync')).body.code).toBe('token.not_connected');
    expect(body.items.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['jobs', 'messages', 'proposals']);
    expect((await bob.get(`/v1/syncs/${body.items[0].id}`)).body.code).toBe('sync.not_found');
  });
});
