import { startApp, type TestApp } from '../support/app';
import { anonymous, signedIn } from '../support/as';
import { aStoredJob } from '../support/factories/job.factory';

describe('GET /v1/analytics/job-stats', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('shows zeros to a user without jobs', async () => {
    const ann = await signedIn(app);

    const { status, body } = await ann.get('/v1/analytics/job-stats');

    expect(status).toBe(200);
    expect(body).toEqual({
      totalJobs: 0,
      activeJobs: 0,
      favoriteJobs: 0,
      avgBudgetRange: '0.00',
      lastJobDate: null,
      refreshedAt: expect.any(String),
    });
  });

  it("shows a user's own numbers as of the last refresh", async () => {
    const ann = await signedIn(app);
    const bob = await signedIn(app);
    const jobs = [await aStoredJob(app.db, ann.id), await aStoredJob(app.db, ann.id), await aStoredJob(app.db, ann.id, { status: 'deleted' })];
    await aStoredJob(app.db, bob.id);
    await app.db.query('superuser', 'UPDATE jobs SET is_favorite = true, budget_min = 100, budget_max = 300.50 WHERE id = $1', [jobs[0]]);
    const before = (await ann.get('/v1/analytics/job-stats')).body;
    await app.db.query('worker', 'SELECT refresh_user_job_stats()');

    const { body } = await ann.get('/v1/analytics/job-stats');

    expect(before.totalJobs).toBe(0);
    expect(body).toMatchObject({ totalJobs: 3, activeJobs: 2, favoriteJobs: 1, avgBudgetRange: '200.50', lastJobDate: expect.any(String) });
    expect(Date.parse(body.refreshedAt)).toBeGreaterThan(Date.parse(before.refreshedAt));
    expect((await bob.get('/v1/analytics/job-stats')).body.totalJobs).toBe(1);
  });

  it('asks for a sign-in', async () => {
    expect((await anonymous(app).get('/v1/analytics/job-stats')).status).toBe(401);
  });
});
