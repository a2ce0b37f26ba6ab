import './platform/config/load-config';
import { AppModule } from './app.module';
import { Config } from './platform/config/config';
import { DrainingService } from './platform/http/edge/draining.service';
import { createHttpApp } from './platform/http/http-app';
import { reportFatal } from './platform/logging/logger';
import { ProcessLifecycle } from './platform/process/process-lifecycle';

const lifecycle = new ProcessLifecycle();

/**
 * Runs the API process. Exits with code 1 and the reasons for invalid settings, routes or database catalog. On SIGTERM
 * readiness fails at once; the port stays open for SHUTDOWN_DELAY_SECONDS, and accepted requests finish.
 */
async function main(): Promise<void> {
  const app = await createHttpApp(AppModule);
  const { http } = app.get(Config);
  const draining = app.get(DrainingService, { strict: false });
  lifecycle.manage(app, { onEnding: () => draining.begin(), delayMs: http.shutdownDelayMs });
  await app.listen(http.port, http.host);
}

main().catch(reportFatal);
