import type { ScheduledTask } from './scheduled-task';

/** All scheduled tasks of the installation, in the order they were declared. */
export class Schedule {
  private readonly byId: ReadonlyMap<string, ScheduledTask>;

  /** @throws Error when two tasks share an id */
  constructor(readonly tasks: readonly ScheduledTask[]) {
    this.byId = new Map(tasks.map((task) => [task.id, task]));
    if (this.byId.size !== tasks.length) throw new Error('two scheduled tasks share an id');
  }

  find(taskId: string): ScheduledTask | undefined {
    return this.byId.get(taskId);
  }
}
