import { UpworkJobsService } from '../../src/jobs/upwork-jobs.service';
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
        rows.map((row) => ({ title: 'A job', ...row })),
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
});
