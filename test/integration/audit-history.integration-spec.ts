import { AuditHistoryService } from '../../src/audit/logs/audit-logs.service';
import { Database } from '../../src/platform/database/database';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { runAsUser } from '../support/run-as-user';

describe(AuditHistoryService.name, () => {
  let app: TestApp;
  let history: AuditHistoryService;
  let ann: number;
  let bob: number;

  beforeAll(async () => {
    app = await startApp();
    history = app.get(AuditHistoryService);
  });
  beforeEach(async () => {
    ann = (await createSignedInCaller(app)).id;
    bob = (await createSignedInCaller(app)).id;
  });
  afterAll(() => app.close());

  it('shows the changes of one transaction in order', async () => {
    const jobId = await insertJob(app.db, ann);
    await runAsUser(ann, () =>
      app.get(Database).transaction(async (unit) => {
        await unit.query(`UPDATE jobs SET country = 'A' WHERE id = $1`, [jobId]);
        await unit.query(`UPDATE jobs SET country = 'B' WHERE id = $1`, [jobId]);
        await unit.query(`UPDATE jobs SET country = 'C' WHERE id = $1`, [jobId]);
      }),
    );

    const { items } = await runAsUser(ann, () => history.listChanges('jobs', jobId, { limit: 100 }));

    expect(items.map(({ changes }) => changes.country?.new)).toEqual(['C', 'B', 'A', undefined]);
  });

  it('shows money, times, lists and JSON in the formats of the API', async () => {
    const jobId = await insertJob(app.db, ann);
    await app.db.query(
      'superuser',
      `UPDATE jobs SET budget_max = 1000, skills = '{a,"b c"}', client_info = '{"rating": 4.5}', is_favorite = true
       WHERE id = $1`,
      [jobId],
    );

    const { items } = await runAsUser(ann, () => history.listChanges('jobs', jobId, { limit: 1 }));

    expect(items[0]!.changes).toEqual({
      budgetMax: { old: null, new: '1000.00' },
      skills: { old: [], new: ['a', 'b c'] },
      clientInfo: { old: null, new: { rating: 4.5 } },
      isFavorite: { old: false, new: true },
    });
  });

  it('is empty for a record of another tenant', async () => {
    const jobId = await insertJob(app.db, ann);

    expect(await runAsUser(bob, () => history.listChanges('jobs', jobId, { limit: 20 }))).toEqual({
      items: [],
      nextCursor: null,
    });
  });
});
