import { loadServerConfig } from './platform/config/load-config';
import { NestFactory } from '@nestjs/core';
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
  const logger = new NestLogger(createLogger(loadServerConfig('worker').log.level));
  const app = await NestFactory.createApplicationContext(WorkerModule, { logger, abortOnError: false });
  lifecycle.manage(app);
}

main().catch(reportFatal);
