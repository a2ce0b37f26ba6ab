import { Module, type DynamicModule } from '@nestjs/common';
import { QueuesModule } from '../queues/queues.module';
import { type ScheduledTask, TaskRegistry } from './scheduled-task';
import { Scheduler } from './scheduler';
import { TaskRunner } from './task-runner';
import { TaskRuns } from './task-runs';

/** The scheduled tasks of the installation: every process knows them, a worker runs them. */
@Module({})
export class SchedulerModule {
  /** For processes that only show the schedule and ask for runs. */
  static forApi(tasks: readonly ScheduledTask[]): DynamicModule {
    return {
      module: SchedulerModule,
      imports: [QueuesModule],
      providers: [{ provide: TaskRegistry, useFactory: () => new TaskRegistry(tasks) }],
      exports: [TaskRegistry, QueuesModule],
    };
  }

  /** For workers: keeps the schedule in Redis and runs what falls due. */
  static forWorker(tasks: readonly ScheduledTask[]): DynamicModule {
    const { providers = [], ...module } = SchedulerModule.forApi(tasks);
    return { ...module, providers: [...providers, TaskRuns, TaskRunner, Scheduler] };
  }
}
