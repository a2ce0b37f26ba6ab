import { AppModule } from './app.module';
import { Config } from './platform/config/config';
import { createHttpApp } from './platform/http/http-app';
import { reportFatal } from './platform/logging/report-fatal';

/** The API process: ends with code 1 and the reasons when settings, routes or the database's catalog are not in order. */
async function main(): Promise<void> {
  const app = await createHttpApp(AppModule);
  app.enableShutdownHooks();
  const { http } = app.get(Config);
  await app.listen(http.port, http.host);
}

main().catch(reportFatal);
