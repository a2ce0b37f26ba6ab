import { Injectable, Logger } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';
import { TaskQueue } from '../queues/task-queue';

/** One run that waits serves all who ask. */
const REQUEST_RUN = `
  INSERT INTO task_runs (task, started_by, outcome)
  SELECT $1, 'user', 'queued' WHERE NOT EXISTS (SELECT FROM task_runs WHERE task = $1 AND outcome = 'queued')
  RETURNING id`;

/** Lets a domain have one of its tasks run at once, ahead of its schedule, because a user asked for something. */
@Injectable()
export class TaskRequestService {
  private readonly logger = new Logger(TaskRequestService.name);

  constructor(
    private readonly database: SystemDatabase,
    private readonly queue: TaskQueue,
  ) {}

  /** Asks for a run; what the queue misses now, a worker finds in task_runs. Call it after the unit of work. */
  async request(taskId: string): Promise<void> {
    const [run] = await this.database.asScheduler((unit) => unit.query<{ id: number }>(REQUEST_RUN, [taskId]));
    if (!run) return;
    await this.queue
      .add(taskId, run.id)
      .catch((error: Error) => this.logger.warn(`run ${run.id} is not in the queue yet: ${error.message}`));
  }
}
