import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Config } from '../config/config';
import { CatalogGate } from './catalog-gate';
import { Database } from './database';
import { PoolStatistics } from './pool-statistics';
import { poolOptions, RolePools } from './role-pools';
import { SystemDatabase } from './system-database';

/** The data gate and TypeORM behind it: entities are registered by their modules, the schema comes from migrations. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: (config: Config) => ({
        type: 'postgres' as const,
        url: config.database.urls.app,
        applicationName: 'gigvault app',
        autoLoadEntities: true,
        synchronize: false,
        installExtensions: false,
        retryAttempts: 0,
        extra: { ...poolOptions(config), max: config.database.poolSize },
      }),
    }),
  ],
  providers: [CatalogGate, Database, SystemDatabase, RolePools, PoolStatistics],
  exports: [Database, SystemDatabase, RolePools, PoolStatistics],
})
export class DatabaseModule {}
