import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';

describe('GET /v1/analytics/job-stats', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('returns zeros to a user without jobs', async () => {
    const ann = await createSignedInCaller(app);

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

  it("returns the user's own statistics at the last refresh", async () => {
    const ann = await createSignedInCaller(app);
    const bob = await createSignedInCaller(app);
    const jobs = [
      await insertJob(app.db, ann.id),
      await insertJob(app.db, ann.id),
      await insertJob(app.db, ann.id, { status: 'deleted' }),
    ];
    await insertJob(app.db, bob.id);
    await app.db.query(
      'superuser',
      'UPDATE jobs SET is_favorite = true, budget_min = 100, budget_max = 300.50 WHERE id = $1',
      [jobs[0]],
    );
    const before = (await ann.get('/v1/analytics/job-stats')).body;
    await app.db.query('worker', 'SELECT refresh_user_job_stats()');

    const { body } = await ann.get('/v1/analytics/job-stats');

    expect(before.totalJobs).toBe(0);
    expect(body).toMatchObject({
      totalJobs: 3,
      activeJobs: 2,
      favoriteJobs: 1,
      avgBudgetRange: '200.50',
      lastJobDate: expect.any(String),
    });
    expect(Date.parse(body.refreshedAt)).toBeGreaterThan(Date.parse(before.refreshedAt));
    expect((await bob.get('/v1/analytics/job-stats')).body.totalJobs).toBe(1);
  });

  it('requires a sign-in', async () => {
    expect((await createAnonymousCaller(app).get('/v1/analytics/job-stats')).status).toBe(401);
  });
});

describe('/v1/analytics/metrics', () => {
  let app: TestApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    ann = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const put = (body: Record<string, unknown>) => ann.put('/v1/analytics/metrics', body);

  it('stores one value per day and returns the days between too', async () => {
    expect((await put({ metric: 'profile_views', date: '2026-03-01', value: '3' })).body).toEqual({
      metric: 'profile_views',
      date: '2026-03-01',
      value: '3.00',
      data: null,
    });
    await put({ metric: 'profile_views', date: '2026-03-01', value: '7.50', data: { source: 'upwork' } });
    await put({ metric: 'profile_views', date: '2026-03-03', value: '-1' });

    const { status, body } = await ann.get('/v1/analytics/metrics?metric=profile_views&from=2026-02-28&to=2026-03-03');

    expect(status).toBe(200);
    expect(body).toEqual({
      from: '2026-02-28',
      to: '2026-03-03',
      items: [
        {
          metric: 'profile_views',
          points: [
            { date: '2026-02-28', value: '0.00', data: null, isRecorded: false },
            { date: '2026-03-01', value: '7.50', data: { source: 'upwork' }, isRecorded: true },
            { date: '2026-03-02', value: '0.00', data: null, isRecorded: false },
            { date: '2026-03-03', value: '-1.00', data: null, isRecorded: true },
          ],
        },
      ],
      nextCursor: null,
    });
  });

  it('returns the counted and the own metrics of the last 30 days, and none of others', async () => {
    const bob = await createSignedInCaller(app);
    const today = new Date().toISOString().slice(0, 10);
    await put({ metric: 'secret_of_ann', date: today, value: '1' });
    await app.db.query(
      'superuser',
      `INSERT INTO analytics (user_id, metric_name, date, metric_value) VALUES ($1, 'wins', $2, 4)`,
      [bob.id, today],
    );

    const { body } = await bob.get('/v1/analytics/metrics');

    expect(body.items.map(({ metric }: { metric: string }) => metric)).toEqual([
      'ai_cost_usd',
      'answers',
      'interviews',
      'jobs_seen',
      'offers',
      'proposals_sent',
      'wins',
    ]);
    expect(body.items[6].points).toHaveLength(30);
    // Not the last one when a day began meanwhile.
    expect(body.items[6].points).toContainEqual({ date: today, value: '4.00', data: null, isRecorded: true });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ metric: 'wins', date: '2026-03-01', value: '1' }, '/metric'],
    [{ metric: '', date: '2026-03-01' }, '/metric'],
    [{ metric: 'x', date: '2026-02-30' }, '/date'],
    [{ metric: 'x', date: '2026-03-01T00:00:00Z' }, '/date'],
    [{ metric: 'x', date: '2026-03-01', value: 1 }, '/value'],
    [{ metric: 'x', date: '2026-03-01', value: '1e3' }, '/value'],
    [{ metric: 'x', date: '2026-03-01', value: '12345678901234' }, '/value'],
    [{ metric: 'x', date: '2026-03-01', data: [1] }, '/data'],
    [{ metric: 'x', date: '2026-03-01', userId: 1 }, '/userId'],
  ])('refuses to write %j', async (body, pointer) => {
    const answer = await put(body);

    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
  });

  it.each([
    'metrics?from=2026-03-02&to=2026-03-01',
    'metrics?from=yesterday',
    'metrics?metric=',
    'summary?from=2020-01-01',
    'summary?until=2026-01-01',
  ])('refuses to read %s', async (path) => {
    expect((await ann.get(`/v1/analytics/${path}`)).status).toBe(400);
  });
});

/** Stages that an accepted proposal reached at once, and those that none reached. */
const WON_ONE = { interviews: 0, offers: 1, won: 1 };
const WON_NONE = { interviews: 0, offers: 0, won: 0 };

/**
 * Statuses of eight proposals after their submission: hours since then, our status, Upwork's word. The fourth has all
 * stages. Corrected ones have the time of their word in seen_at.
 */
const STAGES: readonly (readonly [proposal: number, hours: number, status: string, word: string])[] = [
  [2, 1, 'submitted', 'Activated'],
  [3, 3, 'submitted', 'Offered'],
  [4, 2, 'submitted', 'Activated'],
  [4, 4, 'submitted', 'Offered'],
  [4, 8, 'accepted', 'Hired'],
  [4, 9, 'archived', 'Hired'],
  [5, 6, 'accepted', 'Hired'],
  [6, 5, 'rejected', 'Declined'],
  [7, 1, 'withdrawn', 'Withdrawn'],
];

describe('GET /v1/analytics/summary', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('returns zeros for a user without proposals', async () => {
    const { status, body } = await (await createSignedInCaller(app)).get('/v1/analytics/summary');

    expect(status).toBe(200);
    expect(body).toMatchObject({
      funnel: { jobsSeen: 0, proposalsDrafted: 0, proposalsSent: 0, answered: 0, ...WON_NONE },
      winRate: null,
      answerRate: null,
      medianAnswerSeconds: null,
      medianInterviewSeconds: null,
      medianOfferSeconds: null,
      medianWinSeconds: null,
      aiCostUsd: '0.000000000000',
      costPerWinUsd: null,
      byCategory: [],
      byBudgetBand: [],
      byTemplate: [],
    });
    expect(body.byWeekday).toHaveLength(7);
    expect(body.byWeekday[0]).toEqual({
      key: 'monday',
      sent: 0,
      answered: 0,
      ...WON_NONE,
      winRate: null,
      medianAnswerSeconds: null,
    });
  });

  it('returns the outcomes of proposals, in total and by group, to their owner only', async () => {
    const [ann, bob] = [await createSignedInCaller(app), await createSignedInCaller(app)];
    // Four jobs, three proposals sent on Monday, 2 March 2026, and a draft. One won after 1 h, one answered after 3 h.
    await app.db.query(
      'superuser',
      `WITH j AS (
         INSERT INTO jobs (user_id, source_key, title, category, job_type, budget_max, hourly_rate_max, created_at)
         SELECT $1, 'upwork:' || n, 'J', CASE WHEN n < 3 THEN 'Web' END, CASE WHEN n = 4 THEN 'hourly' ELSE 'fixed' END,
           CASE WHEN n < 3 THEN 250 WHEN n = 3 THEN 9000 END, CASE WHEN n = 4 THEN 45 END, '2026-03-02'
         FROM generate_series(1, 4) n RETURNING id, source_key
       ), t AS (
         INSERT INTO templates (user_id, name, generation_type, body) VALUES ($1, 'short one', 'cover_letter', 'x')
         RETURNING id
       ), g AS (
         INSERT INTO ai_generations (
           user_id, job_id, generation_type, template_id, status, prompt, response, created_at
         )
         SELECT $1, j.id, 'cover_letter', t.id, 'succeeded', 'x', 'y', '2026-03-01'
         FROM j, t WHERE source_key = 'upwork:1' RETURNING id
       ), c AS (
         INSERT INTO ai_calls (user_id, generation_id, provider, model, status, input_ai_tokens, output_ai_tokens,
           cached_ai_tokens, usage_is_estimated, cost, price_list_version, duration_ms, created_at)
         SELECT $1, id, 'openai', 'm', 'succeeded', 1, 1, 0, false, 0.000000000123, 'v', 1, '2026-03-01' FROM g
       ), m AS (
         INSERT INTO messages (user_id, job_id, sender_type, content, created_at)
         SELECT $1, id, 'client', 'Hi', '2026-03-02 13:00Z'::timestamptz + n * interval '1 day'
         FROM j, generate_series(0, 2) n WHERE source_key = 'upwork:2'
       )
       INSERT INTO proposals (user_id, job_id, status, submitted_at, created_at)
       SELECT $1, id, CASE source_key WHEN 'upwork:4' THEN 'draft' ELSE 'submitted' END,
         CASE WHEN source_key <> 'upwork:4' THEN '2026-03-02 10:00Z'::timestamptz END, '2026-03-01'
       FROM j`,
      [ann.id],
    );
    await app.db.query(
      'superuser',
      `UPDATE proposals SET status = 'accepted'
       WHERE user_id = $1 AND job_id = (SELECT id FROM jobs WHERE user_id = $1 AND source_key = 'upwork:1')`,
      [ann.id],
    );
    await app.db.query(
      'superuser',
      `UPDATE proposal_status_changes SET changed_at = '2026-03-02 11:00Z' WHERE user_id = $1 AND status = 'accepted'`,
      [ann.id],
    );

    const { body } = await ann.get('/v1/analytics/summary?from=2026-03-01&to=2026-03-02');

    expect(body).toMatchObject({
      from: '2026-03-01',
      to: '2026-03-02',
      funnel: { jobsSeen: 4, proposalsDrafted: 4, proposalsSent: 3, answered: 2, interviews: 0, offers: 1, won: 1 },
      winRate: 0.3333,
      answerRate: 0.6667,
      medianAnswerSeconds: 7200,
      medianInterviewSeconds: null,
      medianOfferSeconds: 3600,
      medianWinSeconds: 3600,
      aiCostUsd: '0.000000000123',
      costPerWinUsd: '0.000000000123',
    });
    expect(body.byCategory).toEqual([
      { key: 'Web', sent: 2, answered: 2, ...WON_ONE, winRate: 0.5, medianAnswerSeconds: 7200 },
      { key: null, sent: 1, answered: 0, ...WON_NONE, winRate: 0, medianAnswerSeconds: null },
    ]);
    expect(body.byBudgetBand.map(({ key, sent }: { key: string; sent: number }) => [key, sent])).toEqual([
      ['fixed 100 to 500 USD', 2],
      ['fixed 5000 and more USD', 1],
    ]);
    expect(body.byWeekday[0]).toMatchObject({ key: 'monday', sent: 3, won: 1 });
    expect(body.byTemplate).toEqual([
      expect.objectContaining({ key: null, sent: 2, won: 0 }),
      expect.objectContaining({ key: 'short one', sent: 1, won: 1, winRate: 1 }),
    ]);
    expect((await bob.get('/v1/analytics/summary?from=2026-03-01&to=2026-03-02')).body.funnel).toMatchObject({
      jobsSeen: 0,
      proposalsSent: 0,
    });
    expect((await ann.get('/v1/analytics/summary?from=2026-03-03&to=2026-03-03')).body.funnel.proposalsSent).toBe(0);
  });

  it("counts each stage by Upwork's words and ours, at its own time", async () => {
    const ann = await createSignedInCaller(app);
    // All eight were sent on 2 March 2026 at 10:00. The client of the third wrote after two hours.
    await app.db.query(
      'superuser',
      `WITH j AS (
         INSERT INTO jobs (user_id, source_key, title) SELECT $1, 'upwork:' || n, 'J' FROM generate_series(1, 8) n
         RETURNING id, source_key
       ), m AS (
         INSERT INTO messages (user_id, job_id, sender_type, content, created_at)
         SELECT $1, id, 'client', 'Hi', '2026-03-02 12:00Z' FROM j WHERE source_key = 'upwork:3'
       )
       INSERT INTO proposals (user_id, job_id, upwork_proposal_id, status, submitted_at)
       SELECT $1, id, substr(source_key, 8), 'submitted', '2026-03-02 10:00Z' FROM j`,
      [ann.id],
    );
    for (const [proposal, hours, status, word] of STAGES) {
      await app.db.query(
        'superuser',
        `INSERT INTO proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at)
         SELECT $1, id, $3, $4, submitted_at + make_interval(hours => $5) FROM proposals
         WHERE user_id = $1 AND upwork_proposal_id = $2`,
        [ann.id, String(proposal), status, word, hours],
      );
    }
    await app.db.query(
      'superuser',
      `INSERT INTO proposal_status_changes
         (user_id, proposal_id, status, upwork_status, changed_at, seen_at, corrected_from)
       SELECT $1, id, 'submitted', 'Activated', submitted_at, submitted_at + interval '7 hours', 'accepted'
       FROM proposals WHERE user_id = $1 AND upwork_proposal_id = '8'`,
      [ann.id],
    );

    const { body } = await ann.get('/v1/analytics/summary?from=2026-03-02&to=2026-03-02');

    // Hours: answers 1, 2, 2, 5, 6, 7; interviews 1, 2, 7; offers 3, 4, 6; wins 6, 8.
    expect(body).toMatchObject({
      funnel: { proposalsSent: 8, answered: 6, interviews: 3, offers: 3, won: 2 },
      winRate: 0.25,
      answerRate: 0.75,
      medianAnswerSeconds: 3.5 * 3_600,
      medianInterviewSeconds: 2 * 3_600,
      medianOfferSeconds: 4 * 3_600,
      medianWinSeconds: 7 * 3_600,
    });
    expect(body.byCategory).toMatchObject([{ key: null, sent: 8, answered: 6, interviews: 3, offers: 3, won: 2 }]);
  });
});
