import { Injectable, Logger } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';
import { TaskQueue } from '../queues/task-queue';

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
    const [run] = await this.database.asAuth((unit) =>
      unit.query<{ id: number | null }>('SELECT auth.request_task_run($1) AS id', [taskId]),
    );
    const runId = run?.id;
    if (!runId) return;
    await this.queue
      .add(taskId, runId)
      .catch((error: Error) => this.logger.warn(`run ${runId} is not in the queue yet: ${error.message}`));
  }
}
