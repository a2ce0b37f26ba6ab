import { Global, Module } from '@nestjs/common';
import { Config } from './config';
import { loadConfig } from './load-config';

/** Gives every module the `Config`; the application does not start when the settings do not fit. */
@Global()
@Module({
  providers: [{ provide: Config, useFactory: () => loadConfig() }],
  exports: [Config],
})
export class ConfigModule {}
