import { Injectable, Logger } from '@nestjs/common';
import { currentContext } from '../../../platform/context/request-context';
import { SystemDatabase } from '../../../platform/database/system-database';
import { type UnitOfWork } from '../../../platform/database/unit-of-work';
import { AppError } from '../../../platform/errors/app-error';
import { KeysetPages } from '../../../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { TaskQueue } from '../../../platform/queues/task-queue';
import { type ScheduledTask, TaskRegistry } from '../../../platform/scheduler/scheduled-task';
import { RETRYABLE, type TaskAlertDto, type TaskDto, type TaskRunDto } from './tasks.dto';
import { describeAction } from '../reason.dto';
import {
  FINAL_FAILURES,
  findRun,
  insertRun,
  selectRuns,
  upsertPaused,
  selectTaskStates,
  type TaskRow,
} from './tasks.queries';

/** A run that failed, fully or in part, and has not been resolved since. */
export type FailedRun = Pick<TaskRunDto, 'id' | 'task'>;

/** Scheduled tasks for admins. Runs as gigvault_admin, with security events. */
@Injectable()
export class AdminTasksService {
  private readonly logger = new Logger(AdminTasksService.name);

  constructor(
    private readonly system: SystemDatabase,
    private readonly schedule: TaskRegistry,
    private readonly queue: TaskQueue,
    private readonly pages: KeysetPages,
  ) {}

  /** The ids of all tasks, in declaration order. */
  get ids(): string[] {
    return this.schedule.tasks.map(({ id }) => id);
  }

  /** Lists all tasks in declaration order; without Redis `nextRunAt` is null. */
  list(): Promise<TaskDto[]> {
    return this.system.asAdmin('list the tasks', (unit) => this.readStates(unit));
  }

  /** Reads the tasks with these ids. @param unit a unit of gigvault_admin */
  async readStates(unit: UnitOfWork, ids: readonly string[] = this.ids): Promise<TaskDto[]> {
    const [rows, nextAt] = await Promise.all([unit.query<TaskRow>(...selectTaskStates(ids)), this.findNextRuns()]);
    const byId = new Map(rows.map((row) => [row.task, row]));
    return ids.map((id) => toTaskDto(this.find(id), byId.get(id), nextAt.get(id) ?? null));
  }

  /**
   * Queues a run, also of a paused task, and returns it. A worker takes it as soon as one is free.
   * @throws AppError `task.not_found`
   */
  async run(id: string, reason: string): Promise<TaskRunDto> {
    const task = this.find(id);
    return this.requestRun(task.id, null, `run task ${task.id}: ${reason}`);
  }

  /**
   * Queues a new run in place of a failed one. The task processes what is due then.
   * @throws AppError `task.run_not_found`, `task.run_not_failed`
   */
  async retry(runId: number, reason?: string): Promise<TaskRunDto> {
    const [run] = await this.system.asAdmin(`read run ${runId}`, (unit) => unit.query<TaskRunDto>(...findRun(runId)));
    if (!run || !this.schedule.find(run.task)) throw new AppError('task.run_not_found');
    if (!RETRYABLE.has(run.outcome))
      throw new AppError('task.run_not_failed', {
        detail: `The run is ${run.outcome}. Only a run that is failed, timed_out or partial can be retried.`,
      });
    return this.requestRun(run.task, run.id, describeAction(`retry run ${run.id} of task ${run.task}`, reason));
  }

  /**
   * Lists the latest failure, full or partial, of each task that has not succeeded since and is not being retried.
   * @param unit a unit of gigvault_admin
   */
  async listFailures(unit: UnitOfWork): Promise<FailedRun[]> {
    const runs = await unit.query<FailedRun>(FINAL_FAILURES);
    return runs.filter(({ task }) => this.schedule.find(task));
  }

  /** Queues a new run for each failure of `listFailures`. */
  async retryAll(reason: string): Promise<void> {
    const failures = await this.system.asAdmin('list failed runs', (unit) => this.listFailures(unit));
    for (const { id } of failures) await this.retry(id, reason);
  }

  /**
   * Pauses the schedule of a task; a current run continues.
   * @throws AppError `task.not_found`
   */
  pause(id: string, reason?: string): Promise<TaskDto> {
    return this.setPaused(this.find(id), true, describeAction(`pause task ${id}`, reason));
  }

  /**
   * Resumes the schedule of a task; missed runs are not repeated.
   * @throws AppError `task.not_found`
   */
  resume(id: string, reason?: string): Promise<TaskDto> {
    return this.setPaused(this.find(id), false, describeAction(`resume task ${id}`, reason));
  }

  /**
   * Returns one page of the runs of a task, newest first.
   * @throws AppError `task.not_found`
   */
  async listRuns(id: string, query: PageQueryDto): Promise<Page<TaskRunDto>> {
    const { id: task } = this.find(id);
    const page = this.pages.open(query);
    const [afterId = null] = (page.after ?? []) as number[];
    const rows = await this.system.asAdmin(`list the runs of task ${task}`, (unit) =>
      unit.query<TaskRunDto>(...selectRuns(task, afterId, page.take)),
    );
    return page.of(
      rows,
      (row) => [row.id],
      (row) => row,
    );
  }

  /** @throws AppError `task.not_found` */
  find(id: string): ScheduledTask {
    const task = this.schedule.find(id);
    if (!task) throw new AppError('task.not_found');
    return task;
  }

  /** Stores a queued run. If the queue cannot take it now, a worker adds it when it next compares rows and queue. */
  private async requestRun(task: string, retryOf: number | null, reason: string): Promise<TaskRunDto> {
    const adminId = currentContext()?.principal?.userId ?? 0;
    const [run] = await this.system.performAsAdmin('run-task', reason, (unit) =>
      unit.query<TaskRunDto>(...insertRun(task, adminId, retryOf)),
    );
    if (!run) throw new Error('INSERT … RETURNING returned no row');
    await this.queue
      .add(task, run.id)
      .catch((error: Error) => this.logger.warn(`run ${run.id} is not in the queue yet: ${error.message}`));
    return run;
  }

  private async setPaused(task: ScheduledTask, paused: boolean, reason: string): Promise<TaskDto> {
    const [state] = await this.system.performAsAdmin('pause-task', reason, async (unit) => {
      await unit.query(...upsertPaused(task.id, paused));
      return this.readStates(unit, [task.id]);
    });
    if (!state) throw new Error(`task ${task.id} has no state`);
    return state;
  }

  private async findNextRuns(): Promise<Map<string, Date>> {
    const schedules = await this.queue.schedules().catch(() => []);
    return new Map(schedules.map(({ taskId, nextAt }) => [taskId, nextAt]));
  }
}

function toTaskDto(task: ScheduledTask, row: TaskRow | undefined, nextAt: Date | null): TaskDto {
  const { id, description, missedRunImpact, cron, timezone } = task;
  const paused = row?.paused ?? false;
  const lastRun = row?.lastRun ?? null;
  return {
    id,
    description,
    missedRunImpact,
    cron,
    timezone,
    paused,
    nextRunAt: paused ? null : nextAt,
    usualDurationMs: row?.usualDurationMs ?? null,
    lastRun: lastRun && {
      ...lastRun,
      scheduledFor: parseInstant(lastRun.scheduledFor),
      startedAt: parseInstant(lastRun.startedAt),
      endedAt: parseInstant(lastRun.endedAt),
    },
  };
}

function parseInstant(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

const OPEN_TASK_ALERTS = `
  SELECT id, task, kind, reason, created_at AS "createdAt", mailed_at AS "mailedAt"
  FROM task_alerts WHERE cleared_at IS NULL ORDER BY id DESC LIMIT 100`;

/** Open alerts of scheduled tasks. An alert closes by itself when its task works again. */
@Injectable()
export class TaskAlertsService {
  constructor(private readonly system: SystemDatabase) {}

  /** Lists the open alerts, newest first, at most 100. Runs as gigvault_admin, with a security event. */
  list(): Promise<TaskAlertDto[]> {
    return this.system.asAdmin('list the alerts of tasks', (unit) => this.listOpen(unit));
  }

  /** Lists the open alerts within a unit of gigvault_admin. */
  listOpen(unit: UnitOfWork): Promise<TaskAlertDto[]> {
    return unit.query<TaskAlertDto>(OPEN_TASK_ALERTS);
  }
}
