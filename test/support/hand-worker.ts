import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Config } from '../../src/platform/config/config';
import { loadConfig } from '../../src/platform/config/load-config';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { TaskRunner } from '../../src/platform/scheduler/task-runner';
import { WorkerModule } from '../../src/worker.module';
import type { TestApp } from './app';

/** A worker as `npm start` has it, whose tasks are run by hand. */
export interface HandWorker {
  /** Runs a task to its end, whatever its schedule says. @throws Error when it failed */
  runTask(id: string): Promise<void>;
  /** Runs what an admin has asked for, the oldest first. @throws Error when it failed */
  runAsked(id: string): Promise<void>;
  /** A provider of the worker. */
  get<T>(type: Type<T>): T;
  close(): Promise<void>;
}

/** Makes the worker of an application, in this process; its schedule is not begun. */
export async function aWorker(app: TestApp): Promise<HandWorker> {
  const module = await Test.createTestingModule({ imports: [WorkerModule] })
    .overrideProvider(Config)
    .useValue(loadConfig({ ...app.settings }))
    .compile();
  // Without module.init(), which would begin the schedule, nobody has connected to Redis yet.
  await module.get(RedisClients, { strict: false }).onModuleInit();
  const runner = module.get(TaskRunner, { strict: false });
  const take = (taskId: string, runId: number) =>
    runner.take({ taskId, runId, scheduledFor: null, giveUp: () => Promise.resolve() });
  return {
    runAsked: async (id) => {
      const [run] = await app.db.query<{ id: number }>(
        'superuser',
        `SELECT min(id) AS id FROM task_runs WHERE task = $1 AND outcome = 'queued'`,
        [id],
      );
      await take(id, run!.id);
    },
    runTask: async (id) => {
      const [run] = await app.db.query<{ id: number }>(
        'superuser',
        `INSERT INTO task_runs (task, started_by, outcome) VALUES ($1, 'boot', 'queued') RETURNING id`,
        [id],
      );
      await take(id, run!.id);
    },
    get: (type) => module.get(type, { strict: false }),
    close: () => module.close(),
  };
}
