import { Module } from '@nestjs/common';
import { WebhooksModule } from './webhooks/webhooks.module';
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
import { MissedRunMonitor } from './platform/task-alerts/missed-run-monitor';
import { SyncModule } from './sync/sync.module';
import { SCHEDULED_TASKS } from './scheduled-tasks';
import { TokensModule } from './tokens/tokens.module';

/** The modules of the worker: the schedule, its tasks and their domains. It serves no routes. */
@Module({
  imports: [
    ConfigModule.forServer('worker'),
    DatabaseModule,
    RedisModule,
    CacheModule,
    HttpModule,
    EncryptionModule,
    MailModule,
    IdempotencyModule,
    TokensModule,
    SyncModule,
    WebhooksModule,
    BackupsModule,
    SchedulerModule.forWorker(SCHEDULED_TASKS),
  ],
  providers: [MissedRunMonitor],
})
export class WorkerModule {}
