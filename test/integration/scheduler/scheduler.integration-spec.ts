import { TaskQueue } from '../../../src/platform/queues/task-queue';
import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../../../src/platform/scheduler/scheduled-task';
import { Scheduler, TaskRunner } from '../../../src/platform/scheduler/task-runner';
import { TaskRuns } from '../../../src/platform/scheduler/task-runs';
import { currentContext } from '../../../src/platform/context/request-context';
import { buildSettings } from '../../support/test-app';
import { waitFor } from '../../support/wait-for';
import { createTestDatabase, type TestDatabase } from '../../support/test-database';
import { startTestWorker, type TestWorker } from '../../support/test-worker';

const EVERY_SECOND = '* * * * * *';
const NEVER_IN_A_TEST = '0 0 1 1 *';
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Holds back the inserts of runs while another session has the lock 1. */
const HOLD_REQUESTS = `
  CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(1);
    RETURN NEW;
  END $$;
  CREATE TRIGGER hold BEFORE INSERT ON task_runs FOR EACH ROW EXECUTE FUNCTION hold()`;

const WAITING_REQUESTS = `
  SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
  WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`;

describe(Scheduler.name, () => {
  /** Runs tests concurrently: they mostly wait, and each has a separate installation. */
  const testWithInstallation = (name: string, work: (installation: Installation) => Promise<void>): void =>
    it.concurrent(name, async () => {
      const installation = await Installation.create();
      await work(installation).finally(() => installation.remove());
    });

  testWithInstallation('runs each scheduled run once with several workers', async (installation) => {
    const task = buildTask({ cron: EVERY_SECOND });
    const workers = await Promise.all(Array.from({ length: 3 }, () => installation.startWorker(task)));

    await installation.waitFor((all) => all.filter(isOver).length >= 3);
    await Promise.all(workers.map((worker) => installation.stopWorker(worker)));
    const rows = await installation.runs();

    const instants = rows.map((row) => row.scheduled_for?.getTime());
    expect(new Set(instants).size).toBe(rows.length);
    expect(instants.every((instant) => instant !== undefined && instant % 1000 === 0)).toBe(true);
    expect(task.ran).toBe(rows.length);
    expect(rows[0]).toMatchObject({ outcome: 'succeeded', attempts: 1, started_by: 'schedule', figures: { done: 1 } });
  });

  testWithInstallation(
    'replaces the schedule of a changed cron, and removes that of a removed task',
    async (installation) => {
      const first = await installation.startWorker(
        buildTask({ id: 'moves', cron: '0 1 * * *' }),
        buildTask({ id: 'goes', cron: '0 2 * * *' }),
      );
      await installation.stopWorker(first);

      const second = await installation.startWorker(buildTask({ id: 'moves', cron: '0 3 * * *' }));

      const schedules = await second.get(TaskQueue).schedules();
      expect(schedules.map(({ taskId, cron }) => ({ taskId, cron }))).toEqual([{ taskId: 'moves', cron: '0 3 * * *' }]);
      expect((await second.get(TaskQueue).counts()).delayed).toBe(1);
    },
  );

  testWithInstallation('restores a schedule that Redis has lost', async (installation) => {
    const worker = await installation.startWorker(buildTask({ cron: '0 1 * * *' }));
    const [schedule] = await worker.get(TaskQueue).schedules();
    await worker.get(TaskQueue).removeSchedule(schedule!);

    await worker.get(Scheduler).reconcile();

    expect(await worker.get(TaskQueue).schedules()).toHaveLength(1);
  });

  testWithInstallation('retries a failed run and keeps the error until it succeeds', async (installation) => {
    const during: RunRow[][] = [];
    const task = buildTask({
      retries: 1,
      work: async ({ count }) => {
        during.push(await installation.runs());
        if (count === 1) throw new Error('broken 1');
        return { done: 2 };
      },
    });
    await installation.startWorker(task);
    const id = await installation.requestRun(task.id);

    const rows = await installation.waitFor(([row]) => row?.outcome === 'succeeded');

    expect(during).toMatchObject([
      [{ id, attempts: 1, error: null, failed_attempts: [] }],
      [{ id, attempts: 2, error: 'broken 1', failed_attempts: [{ attempt: 1, error: 'broken 1' }] }],
    ]);
    expect(rows).toEqual([
      expect.objectContaining({ id, attempts: 2, error: null, figures: { done: 2 }, started_by_id: 7 }),
    ]);
  });

  testWithInstallation('ends a run with failed items as partial, and does not repeat it', async (installation) => {
    const task = buildTask({ work: () => Promise.resolve({ due: 3, failed: 3, succeeded: 0 }) });
    await installation.startWorker(task);
    await installation.requestRun(task.id);

    const rows = await installation.waitFor(([row]) => row !== undefined && isOver(row));

    expect(rows).toEqual([
      expect.objectContaining({
        outcome: 'partial',
        attempts: 1,
        error: null,
        figures: { due: 3, failed: 3, succeeded: 0 },
      }),
    ]);
  });

  testWithInstallation('keeps the error of every attempt', async (installation) => {
    const task = buildTask({ retries: 1, work: ({ count }) => Promise.reject(new Error(`broken ${count}`)) });
    await installation.startWorker(task);
    await installation.requestRun(task.id);

    const [run] = await installation.waitFor(([row]) => row?.outcome === 'failed');

    expect(run!.failed_attempts).toEqual(
      [1, 2].map((attempt) => ({
        attempt,
        error: `broken ${attempt}`,
        startedAt: expect.stringMatching(INSTANT),
        endedAt: expect.stringMatching(INSTANT),
      })),
    );
    expect(run!.failed_attempts[0]!.startedAt < run!.failed_attempts[1]!.startedAt).toBe(true);
  });

  testWithInstallation('fails a run with the last error when its retries are used up', async (installation) => {
    const task = buildTask({ retries: 0, work: () => Promise.reject(new Error('broken')) });
    const worker = await installation.startWorker(task);
    await installation.requestRun(task.id);

    const rows = await installation.waitFor(([row]) => row?.outcome === 'failed');

    expect(rows).toEqual([expect.objectContaining({ attempts: 1, error: 'broken' })]);
    const [failed] = await worker.get(TaskQueue).bull.getFailed();
    expect(failed?.failedReason).not.toContain('broken');
    expect(failed?.data).toEqual({ runId: rows[0]!.id });
  });

  testWithInstallation(
    'aborts a run at its time limit, including its statement in PostgreSQL',
    async (installation) => {
      const task = buildTask({
        retries: 0,
        timeoutMs: 300,
        work: ({ context }) => context.asWorker((unit) => unit.query('SELECT pg_sleep(600)').then(() => ({}))),
      });
      await installation.startWorker(task);
      await installation.requestRun(task.id);

      const rows = await installation.waitFor(([row]) => row?.outcome === 'timed_out');

      expect(rows[0]?.error).toBe('took longer than 300 ms');
      const sleeping = `
      SELECT 1 FROM pg_stat_activity
      WHERE datname = $1 AND state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()`;
      await waitFor('the statement ends', async () => {
        const statements = await installation.db.query('superuser', sleeping, [installation.db.name]);
        return statements.length === 0;
      });
    },
  );

  testWithInstallation(
    'runs as a task: the context of its changes and the security event name it',
    async (installation) => {
      let seen: unknown;
      const task = buildTask({
        work: ({ context }) => {
          seen = currentContext();
          return context.asWorker(async (unit) => {
            const [row] = await unit.query<Record<string, string>>(
              `SELECT current_user AS role, split_part(signed, E'\\x1f', 3) AS actor,
                 split_part(signed, E'\\x1f', 8) AS operation FROM auth.context`,
            );
            return row!;
          });
        },
      });
      await installation.startWorker(task);
      const id = await installation.requestRun(task.id);

      const [row] = await installation.waitFor(([first]) => first?.outcome === 'succeeded');

      expect(row?.figures).toEqual({ role: 'gigvault_worker', actor: 'task', operation: 'task:a-task' });
      expect(seen).toMatchObject({ requestId: `task-run-${id}`, actorKind: 'task' });
      const events = await installation.db.query('superuser', `SELECT event_type, success, details FROM security_logs`);
      expect(events).toEqual([
        { event_type: 'system.worker', success: true, details: { reason: 'task a-task', operation: 'task:a-task' } },
      ]);
    },
  );

  testWithInstallation('runs a paused task only on request until it is resumed', async (installation) => {
    await installation.db.query('superuser', `INSERT INTO task_settings (task, paused) VALUES ('a-task', true)`);
    const task = buildTask({ cron: EVERY_SECOND });
    const worker = await installation.startWorker(task);
    const execute = jest.spyOn(worker.get(TaskRunner), 'execute');
    await waitFor('two firings are taken', () => execute.mock.results.length >= 2);
    await Promise.all(execute.mock.results.map(({ value }) => value as Promise<void>));
    expect(await installation.runs()).toEqual([]);

    await installation.requestRun(task.id);
    await installation.waitFor((rows) => rows.length === 1 && rows[0]!.outcome === 'succeeded');
    await installation.db.query('superuser', `UPDATE task_settings SET paused = false`);
    await installation.waitFor((rows) => rows.some((row) => row.scheduled_for !== null && isOver(row)));
  });

  testWithInstallation('takes over the run of a dead worker, and ignores its late result', async (installation) => {
    const [row] = await installation.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome, attempts, started_at, lease_until)
       VALUES ('a-task', 'boot', 'running', 1, now() - interval '1 minute', now() - interval '30 seconds')
       RETURNING id`,
    );
    const task = buildTask({});
    const worker = await installation.startWorker(task);

    await worker.get(TaskQueue).add(task.id, row!.id);

    const rows = await installation.waitFor(([first]) => first?.outcome === 'succeeded');
    expect(rows).toEqual([expect.objectContaining({ id: row!.id, attempts: 2 })]);
    const late = { id: row!.id, attempt: 1, startedBy: 'boot' as const, startedById: null, lastResult: null };
    await expect(worker.get(TaskRuns).renew(late)).resolves.toBe(false);
    await expect(worker.get(TaskRuns).end(late, { outcome: 'failed', error: 'late' })).resolves.toBe(false);
    expect((await installation.runs())[0]?.outcome).toBe('succeeded');
  });

  testWithInstallation(
    'does not start on a database without tenant isolation, and reports the problem',
    async (installation) => {
      await installation.db.query('superuser', 'ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY');

      await expect(installation.startWorker(buildTask({ cron: EVERY_SECOND }))).rejects.toThrow(
        'ALTER TABLE public.jobs FORCE ROW LEVEL SECURITY',
      );
    },
  );

  testWithInstallation('lets a run finish when the worker stops', async (installation) => {
    let finish!: (result: TaskResult) => void;
    const task = buildTask({ work: () => new Promise<TaskResult>((resolve) => (finish = resolve)) });
    const worker = await installation.startWorker(task);
    await installation.requestRun(task.id);
    await waitFor('the task runs', () => task.ran === 1);

    const stop = jest.spyOn(worker.get(TaskRunner), 'stop');
    const stopped = installation.stopWorker(worker);
    await waitFor('the worker waits for its runs', () => stop.mock.calls.length === 1);
    finish({ done: 'in peace' });
    await stopped;

    expect(await installation.runs()).toEqual([
      expect.objectContaining({ outcome: 'succeeded', figures: { done: 'in peace' } }),
    ]);
  });

  testWithInstallation('runs tasks at boot, once for workers that start together', async (installation) => {
    const task = buildTask({ runsAtBoot: true, cron: NEVER_IN_A_TEST });
    await installation.startWorker(task);
    await installation.waitFor((all) => all.some(isOver));
    // A busy machine may need more than the five seconds of workers that start together.
    await installation.db.query('superuser', `UPDATE task_runs SET started_at = now() + interval '5 minutes'`);
    await installation.startWorker(task);

    expect(await installation.runs()).toEqual([expect.objectContaining({ started_by: 'boot', outcome: 'succeeded' })]);
  });

  testWithInstallation('requests one run at boot for workers that start at the same instant', async (installation) => {
    const workers = [await installation.startWorker(buildTask({})), await installation.startWorker(buildTask({}))];
    await installation.db.query('superuser', HOLD_REQUESTS);
    let requests: Promise<unknown> = Promise.resolve();
    await installation.db.transaction('superuser', async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(1)');
      requests = Promise.all(workers.map((worker) => worker.get(TaskRuns).requestBootRun('a-task')));
      await waitFor('both wait', async () => (await client.query(WAITING_REQUESTS)).rowCount === 2);
    });
    await requests;

    expect(await installation.runs()).toHaveLength(1);
  });

  testWithInstallation('does not run a paused task at boot', async (installation) => {
    await installation.db.query('superuser', `INSERT INTO task_settings (task, paused) VALUES ('a-task', true)`);

    await installation.startWorker(buildTask({ runsAtBoot: true, cron: NEVER_IN_A_TEST }));

    expect(await installation.runs()).toEqual([]);
  });
});

/** A separate database and Redis of one test, with its workers. */
class Installation {
  private readonly workers: TestWorker[] = [];

  private constructor(
    readonly db: TestDatabase,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  static async create(): Promise<Installation> {
    const db = await createTestDatabase();
    return new Installation(db, await buildSettings(db));
  }

  async startWorker(...tasks: ScheduledTask[]): Promise<TestWorker> {
    const worker = await startTestWorker(this.settings, tasks);
    this.workers.push(worker);
    return worker;
  }

  async stopWorker(worker: TestWorker): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    await worker.close();
  }

  runs(): Promise<RunRow[]> {
    return this.db.query<RunRow>('superuser', 'SELECT * FROM task_runs ORDER BY id');
  }

  async requestRun(task: string): Promise<number> {
    const [row] = await this.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, started_by_id, outcome) VALUES ($1, 'admin', 7, 'queued') RETURNING id`,
      [task],
    );
    await this.workers[0]!.get(TaskQueue).add(task, row!.id);
    return row!.id;
  }

  async waitFor(isDone: (rows: RunRow[]) => boolean): Promise<RunRow[]> {
    return waitFor('the runs are as expected', async () => {
      const rows = await this.runs();
      return isDone(rows) && rows;
    }) as Promise<RunRow[]>;
  }

  async remove(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()));
    await this.db.end();
  }
}

interface RunRow {
  readonly id: number;
  readonly scheduled_for: Date | null;
  readonly started_by: string;
  readonly outcome: string;
  readonly attempts: number;
  readonly figures: TaskResult | null;
  readonly error: string | null;
  readonly failed_attempts: readonly {
    readonly attempt: number;
    readonly startedAt: string;
    readonly endedAt: string;
    readonly error: string;
  }[];
}

interface WorkInput {
  readonly context: TaskContext;
  readonly count: number;
}

interface TestTask extends ScheduledTask {
  ran: number;
  work: (input: WorkInput) => Promise<TaskResult | Skipped>;
}

/** Builds a task that counts its runs and by default does nothing else. */
function buildTask(parts: Partial<Omit<TestTask, 'run' | 'ran'>>): TestTask {
  const task: TestTask = {
    id: 'a-task',
    description: 'A task of a test.',
    cron: NEVER_IN_A_TEST,
    timezone: 'UTC',
    timeoutMs: 60_000,
    retries: 2,
    missedRunImpact: 'Nothing.',
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
