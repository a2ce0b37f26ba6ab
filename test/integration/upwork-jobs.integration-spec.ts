import { UpworkJobsService } from '../../src/jobs/upwork-jobs.service';
import { UpworkMessagesService } from '../../src/messages/upwork-messages.service';
import { UpworkProposalsService } from '../../src/proposals/upwork-proposals.service';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { runAsUser } from '../support/run-as-user';
import { startApp, type TestApp } from '../support/test-app';

describe(UpworkJobsService.name, () => {
  let app: TestApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const store = (...rows: Record<string, unknown>[]) => {
    const jobs = app.get(UpworkJobsService);
    let matches: number | undefined;
    return runAsUser(ann.id, async () => {
      const report = await jobs.store(
        rows.map((row) => ({ title: 'A job', upworkJobNumber: String(row['upworkJobId']).slice(1), ...row })),
        (_, { created }) => Promise.resolve((matches = created)),
      );
      return { ...report, matches };
    });
  };
  const listAudits = () =>
    app.db.query<{ action: string; new_values: object }>(
      'superuser',
      `SELECT action, new_values FROM audit_logs WHERE table_name = 'jobs' AND user_id = $1 ORDER BY id`,
      [ann.id],
    );
  const readJob = async () => (await ann.get('/v1/jobs')).body.items[0];

  it('stores filled jobs and reports only the others as possible matches', async () => {
    const report = await store(
      { upworkJobId: '~1', isFilled: true },
      { upworkJobId: '~2', isFilled: false },
      { upworkJobId: '~3' },
    );

    expect(report).toMatchObject({ total: 3, created: 3, matches: 2 });
    const { items } = (await ann.get('/v1/jobs')).body;
    expect(items.map(({ isFilled }: { isFilled: boolean | null }) => isFilled)).toEqual([true, null, false]);
  });

  it('does not report a known job that is open again', async () => {
    await store({ upworkJobId: '~1', isFilled: true });

    expect(await store({ upworkJobId: '~1', isFilled: false })).toMatchObject({ updated: 1, matches: 0 });
  });

  it('writes a number of applicants when it reaches another range, or with another change', async () => {
    await store({ upworkJobId: '~1', applicants: 5 });

    const within = await store({ upworkJobId: '~1', applicants: 9 });
    expect([within.unchanged, await readJob()]).toMatchObject([1, { applicants: 5, version: 1 }]);

    const beyond = await store({ upworkJobId: '~1', applicants: 10 });
    expect([beyond.updated, await readJob()]).toMatchObject([1, { applicants: 10, version: 2 }]);

    const changed = await store({ upworkJobId: '~1', applicants: 12, clientHires: 3 });
    expect([changed.updated, await readJob()]).toMatchObject([1, { applicants: 12, clientHires: 3, version: 3 }]);

    expect(await listAudits()).toMatchObject([
      { action: 'INSERT' },
      { action: 'UPDATE', new_values: { applicants: 10 } },
      { action: 'UPDATE', new_values: { applicants: 12, client_hires: 3 } },
    ]);
  });

  describe('of a job whose number is known', () => {
    const NUMBER = '1991400000000000102';
    const POSTING = { upworkJobId: `~02${NUMBER}`, upworkJobNumber: NUMBER, title: 'From the search' };

    const submit = (upworkProposalId: string, submittedAt = new Date('2026-11-01T09:30:00Z')) =>
      runAsUser(ann.id, () =>
        app.get(UpworkProposalsService).updateStatus({
          upworkProposalId,
          upworkJobNumber: NUMBER,
          status: 'submitted',
          upworkStatus: 'Accepted',
          upworkReason: null,
          submittedAt,
          changedAt: null,
          coverLetter: 'Hello',
          bidAmount: '48.00',
          bidType: 'hourly',
          currency: 'USD',
        }),
      );
    const readRoom = (roomId: string) =>
      runAsUser(ann.id, () => {
        const room = { tokenId, roomId, title: null, topic: null, upworkProposalId: null, readUntil: null };
        const message = { senderType: 'client', isByUser: false, attachmentCount: 0, content: 'Hi' } as const;
        return app
          .get(UpworkMessagesService)
          .store({ ...room, upworkJobNumber: NUMBER }, [
            { ...message, upworkMessageId: `story_${roomId}`, sentAt: new Date('2026-11-02T09:30:00Z') },
          ]);
      });
    const create = async (upworkJobId: string): Promise<number> =>
      (await ann.post('/v1/jobs', { title: 'As stored before', upworkJobId })).body.id;
    const listJobs = async () => (await ann.get('/v1/jobs')).body.items;
    const listJobIds = async (path: string) => {
      const { items } = (await ann.get(path)).body;
      return items.map(({ jobId }: { jobId: number }) => jobId);
    };
    const countAudits = async () => {
      const rows = await app.db.query<{ what: string }>(
        'superuser',
        `SELECT table_name || ' ' || action AS what FROM audit_logs WHERE user_id = $1 ORDER BY id`,
        [ann.id],
      );
      return rows.map(({ what }) => what);
    };
    let tokenId: number;

    beforeEach(async () => {
      const [token] = await app.db.query<{ id: number }>(
        'superuser',
        `INSERT INTO user_tokens (user_id, seal_key, encrypted_access_token, encrypted_refresh_token, expires_at)
         VALUES ($1, gen_random_uuid(), 'x', 'x', now()) RETURNING id`,
        [ann.id],
      );
      tokenId = token!.id;
    });

    it('gives a job that is stored under its number the id', async () => {
      const id = await create(NUMBER);
      await submit('p1');
      const before = await countAudits();

      expect(await store(POSTING)).toMatchObject({ created: 0, updated: 1 });

      expect(await listJobs()).toMatchObject([{ id, upworkJobId: POSTING.upworkJobId, title: 'From the search' }]);
      expect((await countAudits()).slice(before.length)).toEqual(['jobs UPDATE', 'jobs UPDATE']);
      await store(POSTING);
      expect(await countAudits()).toHaveLength(before.length + 2);
    });

    it('moves what refers to a second job, with an audit row for each', async () => {
      const bare = await create(NUMBER);
      await ann.patch(`/v1/jobs/${bare}`, { isFavorite: true });
      await submit('p1');
      await readRoom('room_1');
      const target = await create(POSTING.upworkJobId);
      const before = await countAudits();

      await store(POSTING);

      expect(await listJobs()).toMatchObject([{ id: target, title: 'From the search', isFavorite: true }]);
      expect((await ann.get(`/v1/jobs/${bare}`)).body).toMatchObject({ status: 'deleted', upworkJobId: null });
      for (const path of ['/v1/proposals', '/v1/messages', '/v1/conversations'])
        expect([path, await listJobIds(path)]).toEqual([path, [target]]);
      expect((await countAudits()).slice(before.length).sort()).toEqual([
        ...['conversations UPDATE', 'jobs UPDATE', 'jobs UPDATE', 'jobs UPDATE', 'messages UPDATE', 'proposals UPDATE'],
      ]);
    });

    it('finds a job by its number, also with an id of another form', async () => {
      await store({ ...POSTING, upworkJobId: '~01a2b3c4d5e6f7a8b9' });

      expect(await submit('p1')).toBe('created');
      await readRoom('room_1');

      const [{ id }] = await listJobs();
      expect(await listJobIds('/v1/proposals')).toEqual([id]);
      expect(await listJobIds('/v1/messages')).toEqual([id]);
    });

    it('loses its number when the user enters the id of another job', async () => {
      await store(POSTING);
      const [{ id }] = await listJobs();
      await ann.patch(`/v1/jobs/${id}`, { title: 'Renamed' });
      expect(await submit('p1')).toBe('created');

      await ann.patch(`/v1/jobs/${id}`, { upworkJobId: '~021991400000000000999' });

      expect(await submit('p2')).toBe('unknownJob');
      expect(await submit('p1')).toBe('unchanged');
    });

    it('leaves two jobs with a draft each, until the user decides one', async () => {
      const bare = await create(NUMBER);
      await ann.post('/v1/proposals', { jobId: bare });
      const target = await create(POSTING.upworkJobId);
      const { body: draft } = await ann.post('/v1/proposals', { jobId: target, coverLetter: 'My draft' });

      await store(POSTING);
      expect((await listJobIds('/v1/proposals')).sort()).toEqual([bare, target].sort());
      await ann.delete(`/v1/proposals/${draft.id}`);
      await store(POSTING);

      expect(await listJobIds('/v1/proposals')).toEqual([target]);
    });

    it('merges two jobs with open proposals from Upwork and a draft', async () => {
      await create(NUMBER);
      await submit('p1');
      await submit('p2');
      const target = await create(POSTING.upworkJobId);
      await ann.post('/v1/proposals', { jobId: target, coverLetter: 'My draft' });

      await store(POSTING);

      expect(await listJobIds('/v1/proposals')).toEqual([target, target, target]);
      const { items } = (await ann.get('/v1/proposals?sort=createdAt')).body;
      expect(items).toMatchObject([
        { upworkProposalId: 'p1', status: 'submitted' },
        { upworkProposalId: 'p2', status: 'submitted' },
        { upworkProposalId: null, status: 'draft', coverLetter: 'My draft' },
      ]);
    });

    it('has one open proposal when one is drafted while others arrive from Upwork', async () => {
      const sentLater = new Date(Date.now() + 3_600_000);
      for (let round = 0; round < 20; round += 1) {
        ann = await createSignedInCaller(app);
        const jobId = await create(NUMBER);

        const [outcome, ...drafts] = await Promise.all([
          submit('p1', sentLater),
          ann.post('/v1/proposals', { jobId }),
          ann.post('/v1/proposals', { jobId }),
        ]);

        const refused = drafts.filter(({ status, body }) => status === 409 && body.code === 'proposal.already_open');
        expect([outcome, refused.length]).toEqual(outcome === 'created' ? ['created', 2] : ['moved', 1]);
        expect((await ann.get('/v1/proposals')).body.items).toMatchObject([
          { upworkProposalId: 'p1', status: 'submitted' },
        ]);
      }
    });

    it('merges once when synchronisations run at once, and loses nothing', async () => {
      for (let round = 0; round < 10; round += 1) {
        ann = await createSignedInCaller(app);
        await create(NUMBER);
        if (round % 2 === 0) await create(POSTING.upworkJobId);

        const outcomes = await Promise.all([
          store(POSTING),
          submit('p1'),
          store(POSTING),
          submit('p1'),
          store(POSTING),
        ]);
        if (outcomes.includes('unknownJob')) await submit('p1');

        const jobs = await listJobs();
        expect(jobs).toMatchObject([{ upworkJobId: POSTING.upworkJobId }]);
        expect(await listJobIds('/v1/proposals')).toEqual([jobs[0].id]);
      }
    });

    it('merges no job of another user', async () => {
      const id = await create(NUMBER);
      const bob = await createSignedInCaller(app);

      await runAsUser(bob.id, () => app.get(UpworkJobsService).store([POSTING]));

      expect(await listJobs()).toMatchObject([{ id, upworkJobId: NUMBER, version: 1 }]);
    });
  });

  it('stores a job of which only the title is known, and changes none that exists', async () => {
    const storeMissing = (number: string, title: string) =>
      runAsUser(ann.id, () => app.get(UpworkJobsService).storeMissing(number, title));
    await store({ upworkJobId: '~021', description: 'All of it', skills: ['SQL'], budgetMax: '90.00' });

    await storeMissing('1', 'A title');
    await storeMissing('2', 'Another');
    await storeMissing('2', 'Changed');

    const { items } = (await ann.get('/v1/jobs?sort=createdAt')).body;
    expect(items).toMatchObject([
      { title: 'A job', description: 'All of it', skills: ['SQL'], budgetMax: '90.00', version: 1 },
      { title: 'Another', upworkJobId: '~022', version: 1 },
    ]);
    expect((await listAudits()).map(({ action }) => action)).toEqual(['INSERT', 'INSERT']);
    expect(await store({ upworkJobId: '~022', title: 'In full' })).toMatchObject({ updated: 1 });
  });
});
