import { Injectable, Logger } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';
import { TaskQueue } from '../queues/task-queue';

/** Inserts a queued run unless one is waiting: it serves all requests. */
const REQUEST_RUN = `
  INSERT INTO task_runs (task, started_by, outcome)
  SELECT $1, 'user', 'queued' WHERE NOT EXISTS (SELECT FROM task_runs WHERE task = $1 AND outcome = 'queued')
  RETURNING id`;

/** Requests an immediate run of a task because of a user's action. */
@Injectable()
export class TaskRequestService {
  private readonly logger = new Logger(TaskRequestService.name);

  constructor(
    private readonly database: SystemDatabase,
    private readonly queue: TaskQueue,
  ) {}

  /** Requests a run. Workers find it in task_runs if queueing fails. Call it after the unit of work. */
  async request(taskId: string): Promise<void> {
    const [run] = await this.database.asScheduler((unit) => unit.query<{ id: number }>(REQUEST_RUN, [taskId]));
    if (!run) return;
    await this.queue
      .add(taskId, run.id)
      .catch((error: Error) => this.logger.warn(`run ${run.id} is not in the queue yet: ${error.message}`));
  }
}
