import { setTimeout as sleep } from 'node:timers/promises';
import { TaskQueue } from '../../../src/platform/queues/task-queue';
import type { Figures, ScheduledTask, Skipped, TaskContext } from '../../../src/platform/scheduler/scheduled-task';
import { Scheduler } from '../../../src/platform/scheduler/scheduler';
import { TaskRuns } from '../../../src/platform/scheduler/task-runs';
import { currentContext } from '../../../src/platform/context/request-context';
import { settingsFor } from '../../support/app';
import { testDatabase, type TestDatabase } from '../../support/postgres';
import { startWorker, type TestWorker } from '../../support/worker';

const EVERY_SECOND = '* * * * * *';
const NEVER_IN_A_TEST = '0 0 1 1 *';

describe(Scheduler.name, () => {
  let db: TestDatabase;
  let settings: Record<string, string>;
  let workers: TestWorker[];

  beforeEach(async () => {
    db = await testDatabase();
    settings = await settingsFor(db);
    workers = [];
  });

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await db.end();
  });

  async function aWorker(...tasks: ScheduledTask[]): Promise<TestWorker> {
    const worker = await startWorker(settings, tasks);
    workers.push(worker);
    return worker;
  }

  function runs(): Promise<RunRow[]> {
    return db.query<RunRow>('superuser', 'SELECT * FROM task_runs ORDER BY id');
  }

  async function askFor(task: string): Promise<number> {
    const [row] = await db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, started_by_id, outcome) VALUES ($1, 'admin', 7, 'queued') RETURNING id`,
      [task],
    );
    await workers[0]!.get(TaskQueue).add(task, row!.id);
    return row!.id;
  }

  async function waitFor(isDone: (rows: RunRow[]) => boolean): Promise<RunRow[]> {
    for (let tries = 0; tries < 150; tries += 1) {
      const rows = await runs();
      if (isDone(rows)) return rows;
      await sleep(100);
    }
    throw new Error(`not seen within 15 s; last: ${JSON.stringify(await runs())}`);
  }

  it('runs each firing once, however many workers there are', async () => {
    const task = aTask({ cron: EVERY_SECOND });
    await Promise.all([aWorker(task), aWorker(task), aWorker(task)]);

    const rows = await waitFor((all) => all.filter(isOver).length >= 3);

    const instants = rows.map((row) => row.scheduled_for?.getTime());
    expect(new Set(instants).size).toBe(rows.length);
    expect(instants.every((instant) => instant !== undefined && instant % 1000 === 0)).toBe(true);
    expect(task.ran).toBe(rows.length);
    expect(rows[0]).toMatchObject({ outcome: 'succeeded', attempts: 1, started_by: 'schedule', figures: { done: 1 } });
  });

  it('leaves one repetition behind when a cron has changed, and none of a task that is gone', async () => {
    const first = await aWorker(aTask({ id: 'moves', cron: '0 1 * * *' }), aTask({ id: 'goes', cron: '0 2 * * *' }));
    await first.close();
    workers = [];

    const second = await aWorker(aTask({ id: 'moves', cron: '0 3 * * *' }));

    const standing = await second.get(TaskQueue).repetitions();
    expect(standing.map(({ taskId, cron }) => ({ taskId, cron }))).toEqual([{ taskId: 'moves', cron: '0 3 * * *' }]);
    expect((await second.get(TaskQueue).counts()).delayed).toBe(1);
  });

  it('mends a schedule that Redis has lost', async () => {
    const worker = await aWorker(aTask({ cron: '0 1 * * *' }));
    const [repetition] = await worker.get(TaskQueue).repetitions();
    await worker.get(TaskQueue).removeRepetition(repetition!);

    await worker.get(Scheduler).reconcile();

    expect(await worker.get(TaskQueue).repetitions()).toHaveLength(1);
  });

  it('tries a failed run again and keeps what went wrong until it succeeds', async () => {
    const task = aTask({ retries: 1, work: ({ count }) => Promise.reject(new Error(`broken ${count}`)) });
    await aWorker(task);
    const id = await askFor(task.id);

    const retrying = await waitFor(([row]) => row?.outcome === 'retrying');
    expect(retrying[0]).toMatchObject({ id, error: 'broken 1', attempts: 1 });
    task.work = () => Promise.resolve({ done: 2 });
    const rows = await waitFor(([row]) => row?.outcome === 'succeeded');

    expect(rows).toEqual([expect.objectContaining({ id, attempts: 2, error: null, figures: { done: 2 }, started_by_id: 7 })]);
  });

  it('gives a run up when its retries are used, with the last error', async () => {
    const task = aTask({ retries: 0, work: () => Promise.reject(new Error('broken')) });
    const worker = await aWorker(task);
    await askFor(task.id);

    const rows = await waitFor(([row]) => row?.outcome === 'failed');

    expect(rows).toEqual([expect.objectContaining({ attempts: 1, error: 'broken' })]);
    const [failed] = await worker.get(TaskQueue).bull.getFailed();
    expect(failed?.failedReason).not.toContain('broken');
    expect(failed?.data).toEqual({ runId: rows[0]!.id });
  });

  it('ends a run that takes too long, its statement in PostgreSQL included', async () => {
    const task = aTask({ retries: 0, timeoutMs: 300, work: ({ context }) => context.asWorker((unit) => unit.query('SELECT pg_sleep(20)').then(() => ({}))) });
    await aWorker(task);
    await askFor(task.id);

    const rows = await waitFor(([row]) => row?.outcome === 'timed_out');

    expect(rows[0]?.error).toBe('took longer than 300 ms');
    await sleep(300);
    const sleeping = await db.query('superuser', `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND state = 'active' AND query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()`, [db.name]);
    expect(sleeping).toEqual([]);
  });

  it('runs as a task: the context of its changes and its security event name it', async () => {
    let seen: unknown;
    const task = aTask({
      work: ({ context }) => {
        seen = currentContext();
        return context.asWorker(async (unit) => {
          const [row] = await unit.query<Record<string, string>>(
            `SELECT current_user AS role, current_setting('app.actor_kind') AS actor, current_setting('app.operation') AS operation`,
          );
          return row!;
        });
      },
    });
    await aWorker(task);
    const id = await askFor(task.id);

    const [row] = await waitFor(([first]) => first?.outcome === 'succeeded');

    expect(row?.figures).toEqual({ role: 'gigvault_worker', actor: 'task', operation: 'task:a-task' });
    expect(seen).toMatchObject({ requestId: `task-run-${id}`, actorKind: 'task' });
    const events = await db.query('superuser', `SELECT event_type, success, details FROM security_logs`);
    expect(events).toEqual([
      { event_type: 'system.worker', success: true, details: { reason: 'task a-task', operation: 'task:a-task' } },
    ]);
  });

  it('lets a paused task rest until it is resumed, but runs it when asked', async () => {
    await db.query('superuser', `INSERT INTO task_settings (task, paused) VALUES ('a-task', true)`);
    const task = aTask({ cron: EVERY_SECOND });
    await aWorker(task);
    await sleep(2_500);
    expect(await runs()).toEqual([]);

    await askFor(task.id);
    await waitFor((rows) => rows.length === 1 && rows[0]!.outcome === 'succeeded');
    await db.query('superuser', `UPDATE task_settings SET paused = false`);
    await waitFor((rows) => rows.some((row) => row.scheduled_for !== null && isOver(row)));
  });

  it('takes over the run of a worker that died, and ignores it should it come back', async () => {
    const [row] = await db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, attempts, started_at, lease_until)
       VALUES ('a-task', 'boot', 'running', 1, now() - interval '1 minute', now() - interval '30 seconds') RETURNING id`,
    );
    const task = aTask({});
    const worker = await aWorker(task);

    await worker.get(TaskQueue).add(task.id, row!.id);

    const rows = await waitFor(([first]) => first?.outcome === 'succeeded');
    expect(rows).toEqual([expect.objectContaining({ id: row!.id, attempts: 2 })]);
    const late = { id: row!.id, attempt: 1, startedBy: 'boot' as const, lastFigures: null };
    await expect(worker.get(TaskRuns).renew(late)).resolves.toBe(false);
    await expect(worker.get(TaskRuns).end(late, { outcome: 'failed', error: 'late' })).resolves.toBe(false);
    expect((await runs())[0]?.outcome).toBe('succeeded');
  });

  it('does not start on a database that does not isolate tenants, and says what is wrong', async () => {
    await db.query('superuser', 'ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY');

    await expect(aWorker(aTask({ cron: EVERY_SECOND }))).rejects.toThrow('ALTER TABLE public.jobs FORCE ROW LEVEL SECURITY');
  });

  it('lets a run finish when the worker is told to stop', async () => {
    const task = aTask({ work: () => sleep(1_000, { done: 'in peace' }) });
    const worker = await aWorker(task);
    await askFor(task.id);
    await waitFor(([row]) => row?.outcome === 'running');

    workers = [];
    await worker.close();

    expect(await runs()).toEqual([expect.objectContaining({ outcome: 'succeeded', figures: { done: 'in peace' } })]);
  });

  it('runs soon after boot what wants to, and once for workers that start together', async () => {
    const task = aTask({ soonAfterBoot: true, cron: NEVER_IN_A_TEST });
    await aWorker(task);
    await aWorker(task);

    const rows = await waitFor((all) => all.some(isOver));

    expect(rows).toEqual([expect.objectContaining({ started_by: 'boot', outcome: 'succeeded' })]);
  });
});

interface RunRow {
  readonly id: number;
  readonly scheduled_for: Date | null;
  readonly started_by: string;
  readonly outcome: string;
  readonly attempts: number;
  readonly figures: Figures | null;
  readonly error: string | null;
}

interface AskedWork {
  readonly context: TaskContext;
  readonly count: number;
}

interface TestTask extends ScheduledTask {
  ran: number;
  work: (asked: AskedWork) => Promise<Figures | Skipped>;
}

/** A task that counts its runs and does nothing, unless told otherwise. */
function aTask(parts: Partial<Omit<TestTask, 'run' | 'ran'>>): TestTask {
  const task: TestTask = {
    id: 'a-task',
    description: 'A task of a test.',
    cron: NEVER_IN_A_TEST,
    timezone: 'UTC',
    timeoutMs: 10_000,
    retries: 2,
    whatAMissMeans: 'Nothing.',
    work: () => Promise.resolve({ done: 1 }),
    ...parts,
    ran: 0,
    run: (context) => {
      task.ran += 1;
      return task.work({ context, count: task.ran });
    },
  };
  return task;
}

function isOver(row: RunRow): boolean {
  return row.outcome !== 'running' && row.outcome !== 'queued';
}
