import { Module, type DynamicModule } from '@nestjs/common';
import { QueuesModule } from '../queues/queues.module';
import { type ScheduledTask, TaskRegistry } from './scheduled-task';
import { Scheduler, TaskRunner } from './task-runner';
import { TaskRuns } from './task-runs';

/** The scheduled tasks of the installation: every process lists them, workers run them. */
@Module({})
export class SchedulerModule {
  /** Returns the module for processes that only show the schedule and request runs. */
  static forApi(tasks: readonly ScheduledTask[]): DynamicModule {
    return {
      module: SchedulerModule,
      imports: [QueuesModule],
      providers: [{ provide: TaskRegistry, useFactory: () => new TaskRegistry(tasks) }],
      exports: [TaskRegistry, QueuesModule],
    };
  }

  /** Returns the module for workers, which keep the schedule in Redis and run due tasks. */
  static forWorker(tasks: readonly ScheduledTask[]): DynamicModule {
    const { providers = [], ...module } = SchedulerModule.forApi(tasks);
    return { ...module, providers: [...providers, TaskRuns, TaskRunner, Scheduler] };
  }
}
