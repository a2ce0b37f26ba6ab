import { RECORD_DAILY_METRICS } from '../../src/analytics/record-daily-metrics.task';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { runWithinOneDay } from '../support/frozen-date';
import { buildProposal } from '../support/factories/proposal.factory';
import { createManualWorker, type ManualWorker } from '../support/test-worker';

describe(RECORD_DAILY_METRICS.id, () => {
  let app: TestApp;
  let worker: ManualWorker;
  let ann: SignedInCaller;
  let won: number;

  const metrics = async (user = ann.id): Promise<Record<string, string>> =>
    Object.fromEntries(
      (
        await app.db.query<{ name: string; value: string }>(
          'superuser',
          `SELECT metric_name || ' ' || (current_date - date) AS name, metric_value AS value FROM analytics
           WHERE user_id = $1 ORDER BY 1`,
          [user],
        )
      ).map(({ name, value }) => [name, value]),
    );
  const run = async (): Promise<Record<string, unknown>> => {
    await worker.runTask(RECORD_DAILY_METRICS.id);
    const [last] = await app.db.query<{ figures: Record<string, unknown> }>(
      'superuser',
      'SELECT figures FROM task_runs ORDER BY id DESC LIMIT 1',
    );
    return last!.figures;
  };
  const auditRows = async (): Promise<number> =>
    (
      await app.db.query<{ count: number }>(
        'superuser',
        `SELECT count(*) FROM audit_logs WHERE table_name = 'analytics'`,
      )
    )[0]!.count;

  beforeAll(async () => {
    app = await startApp();
    worker = await createManualWorker(app);
  });
  async function arrange(): Promise<void> {
    // A run continues where the last one stopped.
    await app.db.query('superuser', 'DELETE FROM users; TRUNCATE task_runs');
    ann = await createSignedInCaller(app);
    const jobs = [await insertJob(app.db, ann.id), await insertJob(app.db, ann.id), await insertJob(app.db, ann.id)];
    await app.db.query('superuser', `UPDATE jobs SET created_at = now() - interval '3 days' WHERE id = $1`, [jobs[2]]);
    const proposals = await Promise.all(
      jobs
        .slice(0, 2)
        .map(async (jobId) => (await ann.post('/v1/proposals', buildProposal({ jobId }))).body.id as number),
    );
    for (const id of proposals) await ann.post(`/v1/proposals/${id}/submit`);
    won = proposals[0]!;
    await ann.post(`/v1/proposals/${won}/accept`);
  }
  afterAll(async () => {
    await worker.close();
    await app.close();
  });

  const itWithinOneDay = (name: string, work: () => Promise<void>): void =>
    it(name, () =>
      runWithinOneDay(async () => {
        await arrange();
        await work();
      }),
    );

  itWithinOneDay('counts each day of each user, and the history at the first run', async () => {
    const [generation] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO ai_generations (user_id, generation_type, prompt) VALUES ($1, 'message', 'x') RETURNING id`,
      [ann.id],
    );
    await app.db.query(
      'superuser',
      `INSERT INTO ai_calls (user_id, generation_id, provider, model, status, input_ai_tokens, output_ai_tokens,
         cached_ai_tokens, usage_is_estimated, cost, price_list_version, duration_ms)
       SELECT $1, $2, 'openai', 'm', 'succeeded', 1, 1, 0, false, 0.001234, 'v', 1 FROM generate_series(1, 2)`,
      [ann.id, generation!.id],
    );

    await run();

    expect(await metrics()).toEqual({
      'ai_cost_usd 0': '0.00',
      'answers 0': '1.00',
      'jobs_seen 0': '2.00',
      'jobs_seen 3': '1.00',
      'offers 0': '1.00',
      'proposals_sent 0': '2.00',
      'wins 0': '1.00',
    });
    expect(
      await app.db.query('superuser', `SELECT metric_data FROM analytics WHERE metric_name = 'ai_cost_usd'`),
    ).toEqual([{ metric_data: { usd: '0.002468000000' } }]);
  });

  itWithinOneDay('counts history for a short time only, and continues where the last run stopped', async () => {
    const realNow = performance.now.bind(performance);
    let later = 0;
    // Every read of the clock shows that ten seconds have passed.
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => realNow() + (later += 10_000));

    const first = await run().finally(() => clock.mockRestore());

    expect(first.countedFrom).toBe(first.firstDay);
    expect(await metrics()).toMatchObject({ 'jobs_seen 0': '2.00' });
    expect(await metrics()).not.toHaveProperty('jobs_seen 3');

    const second = await run();

    expect(second.countedFrom).toBe(second.historyFrom);
    expect(await metrics()).toMatchObject({ 'jobs_seen 0': '2.00', 'jobs_seen 3': '1.00' });
  });

  itWithinOneDay('changes nothing and adds no audit row when repeated', async () => {
    await run();
    const [before, audited] = [await metrics(), await auditRows()];

    const figures = await run();

    expect(figures).toMatchObject({ written: 0 });
    expect([await metrics(), await auditRows()]).toEqual([before, audited]);
  });

  itWithinOneDay('counts late data and removes what no longer exists', async () => {
    await run();
    await app.db.query(
      'superuser',
      `UPDATE jobs SET created_at = now() - interval '1 day'
       WHERE user_id = $1 AND created_at > now() - interval '1 day'`,
      [ann.id],
    );

    await run();

    expect(await metrics()).toMatchObject({ 'jobs_seen 0': '0.00', 'jobs_seen 1': '2.00', 'jobs_seen 3': '1.00' });
  });

  itWithinOneDay(
    'counts history that arrives later, so that it agrees with the summary, and what was lost from it',
    async () => {
      await run();
      const jobId = await insertJob(app.db, ann.id);
      await app.db.query(
        'superuser',
        `WITH hired AS (
         INSERT INTO proposals (user_id, job_id, status, submitted_at, upwork_status, upwork_changed_at)
         VALUES ($1, $2, 'accepted', now() - interval '100 days', 'Hired', now() - interval '90 days')
       ), lost AS (
         INSERT INTO analytics (user_id, metric_name, date, metric_value) VALUES ($1, 'wins', current_date - 200, 1)
       )
       INSERT INTO messages (user_id, job_id, sender_type, content, created_at)
       VALUES ($1, $2, 'client', 'Hello', now() - interval '95 days')`,
        [ann.id, jobId],
      );

      await run();

      const counted = await metrics();
      expect(counted).toMatchObject({ 'proposals_sent 100': '1.00', 'answers 95': '1.00', 'wins 90': '1.00' });
      expect(counted).toMatchObject({ 'wins 200': '0.00' });
      const sum = (name: string): number =>
        Object.entries(counted).reduce((total, [key, value]) => total + (key.startsWith(name) ? Number(value) : 0), 0);
      const { funnel } = (await ann.get('/v1/analytics/summary')).body;
      expect([sum('proposals_sent '), sum('answers '), sum('wins ')]).toEqual([3, 2, 2]);
      expect([funnel.proposalsSent, funnel.answered, funnel.won]).toEqual([3, 2, 2]);
    },
  );

  itWithinOneDay('counts the days it missed', async () => {
    await run();
    await app.db.query(
      'superuser',
      `UPDATE task_runs SET figures = figures || jsonb_build_object('lastDay', current_date - 10) WHERE task = $1`,
      [RECORD_DAILY_METRICS.id],
    );
    await app.db.query('superuser', `UPDATE jobs SET created_at = now() - interval '9 days' WHERE user_id = $1`, [
      ann.id,
    ]);

    const figures = await run();

    expect(Date.parse(String(figures.lastDay)) - Date.parse(String(figures.firstDay))).toBe(10 * 86_400_000);
    expect(await metrics()).toMatchObject({ 'jobs_seen 0': '0.00', 'jobs_seen 3': '0.00', 'jobs_seen 9': '3.00' });
  });

  itWithinOneDay(
    "counts an interview and an offer on the days of Upwork's words, the first as the answer",
    async () => {
      await app.db.query(
        'superuser',
        `WITH p AS (
         UPDATE proposals SET submitted_at = now() - interval '6 days' WHERE user_id = $1 AND id <> $2
         RETURNING user_id, id
       )
       INSERT INTO proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at)
       SELECT p.user_id, p.id, 'submitted', s.word, now() - make_interval(days => s.days)
       FROM p, (VALUES ('Activated', 5), ('Offered', 3), ('Activated', 2)) AS s (word, days)`,
        [ann.id, won],
      );

      await run();

      expect(await metrics()).toEqual({
        ...{ 'answers 0': '1.00', 'answers 5': '1.00', 'interviews 5': '1.00', 'offers 0': '1.00', 'offers 3': '1.00' },
        ...{ 'jobs_seen 0': '2.00', 'jobs_seen 3': '1.00', 'wins 0': '1.00' },
        ...{ 'proposals_sent 0': '1.00', 'proposals_sent 6': '1.00' },
      });
    },
  );

  itWithinOneDay('counts a message of the client as the answer, once, and a win that was archived since', async () => {
    await app.db.query('superuser', `UPDATE proposals SET status = 'submitted' WHERE id = $1`, [won]);
    await app.db.query('superuser', `UPDATE proposals SET status = 'accepted' WHERE id = $1`, [won]);
    await ann.post(`/v1/proposals/${won}/archive`);
    await app.db.query(
      'superuser',
      `INSERT INTO messages (user_id, job_id, sender_type, content)
       SELECT p.user_id, p.job_id, 'client', 'Hello' FROM proposals p, generate_series(1, 2) WHERE p.user_id = $1`,
      [ann.id],
    );

    await run();

    expect(await metrics()).toMatchObject({ 'answers 0': '2.00', 'wins 0': '1.00' });
    expect(
      await app.db.query(
        'superuser',
        `SELECT count(*) FROM audit_logs WHERE table_name = 'proposals' AND new_values ?| '{won_at,rejected_at}'`,
      ),
    ).toEqual([{ count: 0 }]);
  });
});
