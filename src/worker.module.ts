import { Module } from '@nestjs/common';
import { AlertsModule } from './alerts/alerts.module';
import { BackupsModule } from './backups/backups.module';
import { CacheModule } from './platform/cache/cache.module';
import { ConfigModule } from './platform/config/config.module';
import { DatabaseModule } from './platform/database/database.module';
import { EncryptionModule } from './platform/encryption/encryption.module';
import { HttpModule } from './platform/http/http.module';
import { IdempotencyModule } from './platform/idempotency/idempotency.module';
import { MailModule } from './platform/mail/mail.module';
import { RedisModule } from './platform/redis/redis.module';
import { SchedulerModule } from './platform/scheduler/scheduler.module';
import { TaskWatch } from './platform/scheduler/task-watch';
import { SyncModule } from './sync/sync.module';
import { SCHEDULED_TASKS } from './tasks/scheduled-tasks';
import { TokensModule } from './tokens/tokens.module';

/** Everything the worker runs: the schedule, its tasks, and the domains they work in; no routes are served. */
@Module({
  imports: [
    ConfigModule,
    DatabaseModule,
    RedisModule,
    CacheModule,
    HttpModule,
    EncryptionModule,
    MailModule,
    IdempotencyModule,
    TokensModule,
    SyncModule,
    AlertsModule,
    BackupsModule,
    SchedulerModule.running(SCHEDULED_TASKS),
  ],
  providers: [TaskWatch],
})
export class WorkerModule {}
