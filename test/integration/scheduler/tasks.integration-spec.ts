import { REFRESH_JOB_STATS } from '../../../src/analytics/refresh-job-stats.task';
import { CREATE_PARTITIONS } from '../../../src/audit/create-partitions.task';
import { TaskQueue, type TaskDelivery } from '../../../src/platform/queues/task-queue';
import type { TaskResult } from '../../../src/platform/scheduler/scheduled-task';
import { TaskRunner } from '../../../src/platform/scheduler/task-runner';
import { PURGE_EXPIRED } from '../../../src/platform/scheduler/purge-expired.task';
import { buildSettings } from '../../support/test-app';
import { waitFor } from '../../support/wait-for';
import { createTestDatabase, type TestDatabase } from '../../support/test-database';
import { startTestWorker, type TestWorker } from '../../support/test-worker';

/** The view's definition, run on the table itself without row security. */
const DIRECT_QUERY = `
  SELECT user_id, count(*) AS total_jobs, count(*) FILTER (WHERE status = 'active') AS active_jobs,
    count(*) FILTER (WHERE is_favorite) AS favorite_jobs, avg(budget_max - budget_min) AS avg_budget_range,
    max(created_at) AS last_job_date
  FROM jobs GROUP BY user_id ORDER BY user_id`;

describe('the scheduled tasks', () => {
  let db: TestDatabase;
  let worker: TestWorker;
  let instant = Date.UTC(2020, 0, 1);

  beforeAll(async () => {
    db = await createTestDatabase();
    const tasks = [REFRESH_JOB_STATS, CREATE_PARTITIONS, PURGE_EXPIRED].map((task) => ({
      ...task,
      cron: '0 0 1 1 *',
      runsAtBoot: false,
    }));
    worker = await startTestWorker(await buildSettings(db), tasks);
  });

  afterAll(async () => {
    await worker.close();
    await db.end();
  });

  /** Runs the task as its schedule would, and returns the run. */
  async function runScheduled(taskId: string): Promise<{ outcome: string; figures: TaskResult; error: string | null }> {
    const scheduledFor = new Date((instant += 60_000));
    const delivery: TaskDelivery = { taskId, scheduledFor, abort: () => Promise.resolve() };
    await worker
      .get(TaskRunner)
      .execute(delivery)
      .catch(() => undefined);
    const [run] = await db.query<{ outcome: string; figures: TaskResult; error: string | null }>(
      'superuser',
      'SELECT outcome, figures, error FROM task_runs WHERE task = $1 AND scheduled_for = $2',
      [taskId, scheduledFor],
    );
    return run!;
  }

  async function insertUser(email: string): Promise<number> {
    const [user] = await db.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password) VALUES ($1, 'none') RETURNING id`,
      [email],
    );
    return user!.id;
  }

  /** Returns PostgreSQL's count of inserted jobs, which it updates at the end of a connection or up to 10 s late. */
  async function countInsertedJobs(): Promise<number> {
    const [counter] = await db.query<{ writes: number }>(
      'superuser',
      `SELECT pg_stat_get_tuples_inserted('public.jobs'::regclass)::integer AS writes`,
    );
    return counter!.writes;
  }

  async function insertJobs(userId: number, count: number): Promise<void> {
    const before = await countInsertedJobs();
    await db.transaction('superuser', (client) =>
      client.query(
        `INSERT INTO jobs (user_id, source_key, title, status, is_favorite, budget_min, budget_max)
         SELECT $1, 'upwork:' || n, 'Job ' || n, CASE WHEN n % 3 = 0 THEN 'archived' ELSE 'active' END, n % 2 = 0,
           n, n * 2
         FROM generate_series(1, $2::integer) AS n`,
        [userId, count],
      ),
    );
    await waitFor('the writes are counted', async () => (await countInsertedJobs()) === before + count);
  }

  describe(REFRESH_JOB_STATS.id, () => {
    it('computes the same numbers as a direct query, although row security is forced on its owner', async () => {
      await insertJobs(await insertUser('one@example.com'), 7);
      await insertJobs(await insertUser('two@example.com'), 40);

      const run = await runScheduled(REFRESH_JOB_STATS.id);

      expect(run).toMatchObject({ outcome: 'succeeded', error: null });
      const shown = await db.query('superuser', 'SELECT * FROM user_job_stats ORDER BY user_id');
      expect(shown).toEqual(await db.query('superuser', DIRECT_QUERY));
      expect(shown.length).toBeGreaterThanOrEqual(2);
    });

    it('skips its work until a job changes', async () => {
      await insertJobs(await insertUser('three@example.com'), 1);
      await runScheduled(REFRESH_JOB_STATS.id);
      await expect(runScheduled(REFRESH_JOB_STATS.id)).resolves.toMatchObject({
        outcome: 'skipped',
        figures: { reason: 'no job has changed' },
      });

      await insertJobs(await insertUser('another@example.com'), 1);

      await expect(runScheduled(REFRESH_JOB_STATS.id)).resolves.toMatchObject({ outcome: 'succeeded' });
    });

    it('leaves the work to another session that has started it', async () => {
      await insertJobs(await insertUser('four@example.com'), 1);
      const run = await db.transaction('worker', async (client) => {
        await client.query('SELECT refresh_user_job_stats()');
        return runScheduled(REFRESH_JOB_STATS.id);
      });

      expect(run).toMatchObject({ outcome: 'skipped', figures: { reason: 'another session refreshes' } });
    });
  });

  it('creates the partitions of this year and the next two, and nothing the second time', async () => {
    const year = new Date().getUTCFullYear();

    await expect(runScheduled(CREATE_PARTITIONS.id)).resolves.toMatchObject({ outcome: 'succeeded' });
    await expect(runScheduled(CREATE_PARTITIONS.id)).resolves.toMatchObject({
      figures: { made: 'none', drained: 'none', archived: 'none' },
    });

    for (const table of ['analytics', 'audit_logs', 'security_logs']) {
      for (const wanted of [year, year + 1, year + 2]) {
        const [found] = await db.query('superuser', 'SELECT to_regclass($1) AS name', [`public.${table}_${wanted}`]);
        expect(found).toEqual({ name: `${table}_${wanted}` });
      }
    }
  });

  it('deletes idempotency keys older than a day and keeps younger ones', async () => {
    const userId = await insertUser('five@example.com');
    await db.query(
      'superuser',
      `INSERT INTO idempotency_keys (user_id, key, request_hash, created_at)
       VALUES ($1, 'old', 'h', now() - interval '25 hours'), ($1, 'young', 'h', now() - interval '23 hours')`,
      [userId],
    );

    await expect(runScheduled(PURGE_EXPIRED.id)).resolves.toMatchObject({
      outcome: 'succeeded',
      figures: { idempotencyKeys: 1, oneTimeTokens: 0, mails: 0, taskRuns: 0 },
    });
    expect(await db.query('superuser', 'SELECT key FROM idempotency_keys')).toEqual([{ key: 'young' }]);
  });

  it('are in the queue, each task once', async () => {
    const schedules = await worker.get(TaskQueue).schedules();
    expect(schedules.map(({ taskId }) => taskId).sort()).toEqual([
      'create-partitions',
      'purge-expired',
      'refresh-job-stats',
    ]);
  });
});
