import './platform/config/load-config';
import { NestFactory } from '@nestjs/core';
import { Config } from './platform/config/config';
import { createLogger, reportFatal } from './platform/logging/logger';
import { NestLogger } from './platform/logging/nest-logger';
import { ProcessLifecycle } from './platform/process/process-lifecycle';
import { WorkerModule } from './worker.module';

const lifecycle = new ProcessLifecycle();

/**
 * Runs the worker process: scheduled tasks, no routes. Exits with code 1 and the reasons for invalid settings or
 * database catalog. On a stop signal, or after an uncaught error, running tasks have 15 seconds to finish.
 */
async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(WorkerModule, { bufferLogs: true, abortOnError: false });
  app.useLogger(new NestLogger(createLogger(app.get(Config).log.level)));
  lifecycle.manage(app);
}

main().catch(reportFatal);
