import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Config } from '../../src/platform/config/config';
import { loadConfig } from '../../src/platform/config/load-config';
import { ConfigModule } from '../../src/platform/config/config.module';
import { DatabaseModule } from '../../src/platform/database/database.module';
import { createLogger } from '../../src/platform/logging/logger';
import { NestLogger } from '../../src/platform/logging/nest-logger';
import type { ScheduledTask } from '../../src/platform/scheduler/scheduled-task';
import { SchedulerModule } from '../../src/platform/scheduler/scheduler.module';

/** Is a worker of a test, in this process. */
export interface TestWorker {
  /** A provider of the worker. */
  get<T>(token: Type<T>): T;
  /** Stops it as SIGTERM would. */
  close(): Promise<void>;
}

/** Starts a worker that runs these tasks; several on the same settings are workers of one installation. */
export async function startWorker(
  settings: Readonly<Record<string, string>>,
  tasks: readonly ScheduledTask[],
): Promise<TestWorker> {
  const module = await Test.createTestingModule({
    imports: [ConfigModule, DatabaseModule, SchedulerModule.running(tasks)],
  })
    .overrideProvider(Config)
    .useValue(loadConfig({ ...settings }))
    .setLogger(new NestLogger(createLogger('silent')))
    .compile();
  await module.init().catch(async (error: unknown) => {
    await module.close();
    throw error;
  });
  return { get: (token) => module.get(token, { strict: false }), close: () => module.close() };
}
