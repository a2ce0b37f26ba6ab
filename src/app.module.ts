import { Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module';
import { ConfigModule } from './platform/config/config.module';
import { DatabaseModule } from './platform/database/database.module';
import { HttpModule } from './platform/http/http.module';
import { RedisModule } from './platform/redis/redis.module';

/** Everything the API serves: the platform first, then one module a domain. */
@Module({
  imports: [ConfigModule, DatabaseModule, RedisModule, HttpModule, AuditModule],
})
export class AppModule {}
