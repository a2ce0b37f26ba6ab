import { REFRESH_JOB_STATS } from '../../src/analytics/refresh-job-stats.task';
import { CREATE_PARTITIONS } from '../../src/audit/create-partitions.task';
import { TaskQueue } from '../../src/platform/queues/task-queue';
import { PURGE_EXPIRED } from '../../src/platform/scheduler/purge-expired.task';
import { SCHEDULED_TASKS } from '../../src/scheduled-tasks';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { waitFor } from '../support/wait-for';

const FAILING = {
  ...PURGE_EXPIRED,
  retries: 0,
  run: () => Promise.reject(new Error('no space left')),
};

describe('/v1/admin/tasks', () => {
  let app: TestApp;
  let worker: TestWorker;
  let admin: SignedInCaller;
  let user: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    worker = await startTestWorker(app.settings, [
      // Not each minute: a scheduled run that refreshes at the same time would make the admin's run skip its work.
      { ...REFRESH_JOB_STATS, runsAtBoot: false, cron: '0 0 1 1 *' },
      { ...CREATE_PARTITIONS, runsAtBoot: false },
      FAILING,
    ]);
    admin = await createSignedInCaller(app, { role: 'admin' });
    user = await createSignedInCaller(app);
  });

  afterAll(async () => {
    await worker.close();
    await app.close();
  });

  async function waitForEnd(task: string, id: number): Promise<Record<string, unknown>> {
    const ended = await waitFor('the run ends', async () => {
      const { body } = await admin.get<{ items: Record<string, unknown>[] }>(`/v1/admin/tasks/${task}/runs`);
      return body.items.find((item) => item.id === id && item.endedAt);
    });
    return ended;
  }

  it('lists every declared task with its next run', async () => {
    const before = Date.now();
    const { status, body } = await admin.get<{ items: { id: string; nextRunAt: string }[] }>('/v1/admin/tasks');

    expect(status).toBe(200);
    expect(body.items.map(({ id }) => id)).toEqual(SCHEDULED_TASKS.map(({ id }) => id));
    expect(body.items[0]).toMatchObject({ cron: '* * * * *', timezone: 'UTC', paused: false });
    expect(new Date(body.items[0]!.nextRunAt).getTime()).toBeGreaterThan(before);
  });

  it('runs a task now and logs the reason', async () => {
    const { status, body } = await admin.post('/v1/admin/tasks/refresh-job-stats/run', { reason: 'fresh numbers' });

    expect(status).toBe(202);
    expect(body).toMatchObject({
      task: 'refresh-job-stats',
      outcome: 'queued',
      startedBy: 'admin',
      startedById: admin.id,
      startedAt: null,
    });
    await expect(waitForEnd('refresh-job-stats', body.id)).resolves.toMatchObject({
      outcome: 'succeeded',
      error: null,
    });
    const events = await app.db.query<{ details: { reason: string; operation: string }; user_id: number }>(
      'superuser',
      `SELECT user_id, details FROM security_logs
       WHERE event_type = 'system.admin' AND details->>'reason' LIKE '%fresh numbers%'`,
    );
    expect(events).toEqual([
      {
        user_id: admin.id,
        details: { reason: 'run task refresh-job-stats: fresh numbers', operation: 'POST /v1/admin/tasks/:id/run' },
      },
    ]);
  });

  it('keeps the error of a failed run, and retries it on request', async () => {
    const first = await admin.post('/v1/admin/tasks/purge-expired/run', { reason: 'to see it fail' });
    await expect(waitForEnd('purge-expired', first.body.id)).resolves.toMatchObject({
      outcome: 'failed',
      error: 'no space left',
    });

    const retry = await admin.post(`/v1/admin/tasks/runs/${first.body.id}/retry`, {});

    expect(retry.status).toBe(202);
    expect(retry.body).toMatchObject({ retryOf: first.body.id, task: 'purge-expired' });
    await waitForEnd('purge-expired', retry.body.id);
  });

  it('retries a run that failed in part', async () => {
    const [run] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, attempts, figures)
      VALUES ('purge-expired', 'boot', 'partial', now(), now(), 1, '{"failed": 1}') RETURNING id`,
    );

    const retry = await admin.post(`/v1/admin/tasks/runs/${run!.id}/retry`, {});

    expect([retry.status, retry.body.retryOf]).toEqual([202, run!.id]);
    await waitForEnd('purge-expired', retry.body.id);
  });

  it('refuses to retry a run that did not fail', async () => {
    const run = await admin.post('/v1/admin/tasks/create-partitions/run', { reason: 'once' });
    await waitForEnd('create-partitions', run.body.id);

    const { status, body } = await admin.post(`/v1/admin/tasks/runs/${run.body.id}/retry`);

    expect([status, body.code]).toEqual([409, 'task.run_not_failed']);
  });

  it('lists open alerts only', async () => {
    await app.db.query(
      'superuser',
      `INSERT INTO task_alerts (task, kind, reason, cleared_at)
       VALUES ('create-partitions', 'overlong', 'over', now()), ('create-partitions', 'missed', 'was due', NULL)`,
    );

    const { status, body } = await admin.get('/v1/admin/tasks/alerts');

    expect(status).toBe(200);
    expect(body.items).toEqual([
      {
        id: expect.any(Number),
        task: 'create-partitions',
        kind: 'missed',
        reason: 'was due',
        createdAt: expect.any(String),
        mailedAt: null,
      },
    ]);
    expect((await user.get('/v1/admin/tasks/alerts')).status).toBe(403);
  });

  it('pauses and resumes', async () => {
    const paused = await admin.post('/v1/admin/tasks/create-partitions/pause', { reason: 'maintenance' });
    expect([paused.status, paused.body.paused, paused.body.nextRunAt]).toEqual([200, true, null]);

    const resumed = await admin.post('/v1/admin/tasks/create-partitions/resume');
    expect([resumed.status, resumed.body.paused]).toEqual([200, false]);
    expect(resumed.body.nextRunAt).not.toBeNull();
  });

  it('pages through the runs, newest first', async () => {
    for (const reason of ['one', 'two', 'three']) await admin.post('/v1/admin/tasks/create-partitions/run', { reason });

    const first = await admin.get('/v1/admin/tasks/create-partitions/runs?limit=2');
    const second = await admin.get(`/v1/admin/tasks/create-partitions/runs?limit=2&cursor=${first.body.nextCursor}`);

    const ids = [...first.body.items, ...second.body.items].map((run: { id: number }) => run.id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('queues ids only', async () => {
    const entries = await app.get(TaskQueue).bull.getJobs(['completed', 'failed', 'waiting', 'delayed', 'active']);
    for (const { data } of entries) expect(Object.keys(data).filter((key) => key !== 'runId')).toEqual([]);
  });

  it.each(['nothing', 'constructor', '%00', '..%2F..'])('answers 404 or 400 for the task %s', async (id) => {
    const { status } = await admin.post(`/v1/admin/tasks/${id}/run`, { reason: 'x' });
    expect([400, 404]).toContain(status);
  });

  it.each([
    {},
    { reason: '' },
    { reason: ' ' },
    { reason: 7 },
    { reason: 'x'.repeat(501) },
    { reason: 'x', more: 1 },
    { reason: 'a\0b' },
  ])('refuses to run for %j', async (body) => {
    expect((await admin.post('/v1/admin/tasks/purge-expired/run', body)).status).toBe(400);
  });

  it('is for admins only', async () => {
    expect((await createAnonymousCaller(app).get('/v1/admin/tasks')).status).toBe(401);
    expect((await user.get('/v1/admin/tasks')).status).toBe(403);
    expect((await user.post('/v1/admin/tasks/purge-expired/run', { reason: 'x' })).status).toBe(403);
  });
});
