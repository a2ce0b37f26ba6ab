import { type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Config } from '../../src/platform/config/config';
import { loadServerConfig } from '../../src/platform/config/load-config';
import { ConfigModule } from '../../src/platform/config/config.module';
import { DatabaseModule } from '../../src/platform/database/database.module';
import { createLogger } from '../../src/platform/logging/logger';
import { NestLogger } from '../../src/platform/logging/nest-logger';
import type { ScheduledTask } from '../../src/platform/scheduler/scheduled-task';
import { SchedulerModule } from '../../src/platform/scheduler/scheduler.module';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { TaskRunner } from '../../src/platform/scheduler/task-runner';
import { WorkerModule } from '../../src/worker.module';
import type { TestApp } from './test-app';

/** A worker of a test, in this process. */
export interface TestWorker {
  /** Returns a provider of the worker. */
  get<T>(token: Type<T>): T;
  /** Stops it as SIGTERM would. */
  close(): Promise<void>;
}

/** Starts a worker that runs these tasks; several on the same settings are workers of one installation. */
export async function startTestWorker(
  settings: Readonly<Record<string, string>>,
  tasks: readonly ScheduledTask[],
): Promise<TestWorker> {
  const module = await Test.createTestingModule({
    imports: [ConfigModule, DatabaseModule, SchedulerModule.forWorker(tasks)],
  })
    .overrideProvider(Config)
    .useValue(loadServerConfig('worker', { ...settings }))
    .setLogger(new NestLogger(createLogger('silent')))
    .compile();
  await module.init().catch(async (error: unknown) => {
    await module.close();
    throw error;
  });
  return { get: (token) => module.get(token, { strict: false }), close: () => module.close() };
}

/** A worker as `npm start` starts it, whose tasks a test runs by hand. */
export interface ManualWorker {
  /** Runs a task to its end, independent of its schedule. @throws Error when it failed */
  runTask(id: string): Promise<void>;
  /** Runs what an admin has requested, the oldest first. @throws Error when it failed */
  runQueued(id: string): Promise<void>;
  /** Returns a provider of the worker. */
  get<T>(type: Type<T>): T;
  close(): Promise<void>;
}

/** Creates the worker of an application in this process, without its schedule. */
export async function createManualWorker(app: TestApp): Promise<ManualWorker> {
  const module = await Test.createTestingModule({ imports: [WorkerModule] })
    .overrideProvider(Config)
    .useValue(loadServerConfig('worker', { ...app.settings }))
    .compile();
  // module.init() would start the schedule, so the connection to Redis is opened here.
  await module.get(RedisClients, { strict: false }).onModuleInit();
  const runner = module.get(TaskRunner, { strict: false });
  const runClaimed = (taskId: string, runId: number) =>
    runner.execute({ taskId, runId, scheduledFor: null, abort: () => Promise.resolve() });
  return {
    runQueued: async (id) => {
      const [run] = await app.db.query<{ id: number }>(
        'superuser',
        `SELECT min(id) AS id FROM task_runs WHERE task = $1 AND outcome = 'queued'`,
        [id],
      );
      await runClaimed(id, run!.id);
    },
    runTask: async (id) => {
      const [run] = await app.db.query<{ id: number }>(
        'superuser',
        `INSERT INTO task_runs (task, started_by, outcome) VALUES ($1, 'boot', 'queued') RETURNING id`,
        [id],
      );
      await runClaimed(id, run!.id);
    },
    get: (type) => module.get(type, { strict: false }),
    close: () => module.close(),
  };
}
