import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { Config } from './config';
import { loadConfig, loadServerConfig } from './load-config';
import { listForeignVariables, type ServerKind } from './process-settings';

/** Provides `Config`. The application does not start with invalid settings. */
@Global()
@Module({
  providers: [{ provide: Config, useFactory: () => loadConfig() }],
  exports: [Config],
})
export class ConfigModule {
  /** Provides the configuration of a server, which has no logins of other processes. */
  static forServer(kind: ServerKind): DynamicModule {
    return { module: ConfigModule, providers: [{ provide: Config, useFactory: () => loadAndWarn(kind) }] };
  }
}

/** Warns about logins and secrets that an intruder would find in the environment for no reason. */
function loadAndWarn(kind: ServerKind): Config {
  const config = loadServerConfig(kind);
  const foreign = listForeignVariables(kind, process.env);
  if (foreign.length > 0)
    new Logger(ConfigModule.name).warn(
      `the ${kind} does not use ${foreign.join(', ')}: remove them from its environment`,
    );
  return config;
}
