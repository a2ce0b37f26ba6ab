import { AuditHistory } from '../../src/audit/audit-history.service';
import { Database } from '../../src/platform/database/database';
import { startApp, type TestApp } from '../support/app';
import { signedIn } from '../support/as';
import { aStoredJob } from '../support/factories/job.factory';
import { within } from '../support/within';

describe(AuditHistory.name, () => {
  let app: TestApp;
  let history: AuditHistory;
  let ann: number;
  let bob: number;

  beforeAll(async () => {
    app = await startApp();
    history = app.get(AuditHistory);
  });
  beforeEach(async () => {
    ann = (await signedIn(app)).id;
    bob = (await signedIn(app)).id;
  });
  afterAll(() => app.close());

  it('shows changes of one transaction in the order they were made', async () => {
    const jobId = await aStoredJob(app.db, ann);
    await within(ann, () =>
      app.get(Database).unit(async (unit) => {
        await unit.query(`UPDATE jobs SET country = 'A' WHERE id = $1`, [jobId]);
        await unit.query(`UPDATE jobs SET country = 'B' WHERE id = $1`, [jobId]);
        await unit.query(`UPDATE jobs SET country = 'C' WHERE id = $1`, [jobId]);
      }),
    );

    const { items } = await within(ann, () => history.of('jobs', jobId, { limit: 100 }));

    expect(items.map(({ changes }) => changes.country?.new)).toEqual(['C', 'B', 'A', undefined]);
  });

  it('shows money, times, lists and JSON in the forms of the API', async () => {
    const jobId = await aStoredJob(app.db, ann);
    await app.db.query(
      'superuser',
      `UPDATE jobs SET budget_max = 1000, skills = '{a,"b c"}', client_info = '{"rating": 4.5}', is_favorite = true WHERE id = $1`,
      [jobId],
    );

    const { items } = await within(ann, () => history.of('jobs', jobId, { limit: 1 }));

    expect(items[0]!.changes).toEqual({
      budgetMax: { old: null, new: '1000.00' },
      skills: { old: [], new: ['a', 'b c'] },
      clientInfo: { old: null, new: { rating: 4.5 } },
      isFavorite: { old: false, new: true },
    });
  });

  it('is empty for a record of another tenant', async () => {
    const jobId = await aStoredJob(app.db, ann);

    expect(await within(bob, () => history.of('jobs', jobId, { limit: 20 }))).toEqual({ items: [], nextCursor: null });
  });
});
