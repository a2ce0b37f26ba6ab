import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Config } from '../config/config';
import { SchemaVerifier } from './schema/schema-verifier';
import { Database } from './database';
import { FailoverDetectorService } from './failover-detector.service';
import { poolOptions, PoolStatisticsService, RolePools } from './driver/role-pools';
import { SystemDatabase } from './system-database';

/** The database access. Modules register their own entities; migrations make the schema. */
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
  providers: [SchemaVerifier, Database, SystemDatabase, RolePools, PoolStatisticsService, FailoverDetectorService],
  exports: [Database, SystemDatabase, RolePools, PoolStatisticsService, FailoverDetectorService],
})
export class DatabaseModule {}
