import { Module } from '@nestjs/common';
import { AdminModule } from './admin/admin.module';
import { AiModule } from './ai/ai.module';
import { WebhooksModule } from './webhooks/webhooks.module';
import { AnalyticsModule } from './analytics/analytics.module';
import { AuditModule } from './audit/audit.module';
import { AuthModule } from './auth/auth.module';
import { CoverLettersModule } from './cover-letters/cover-letters.module';
import { JobsModule } from './jobs/jobs.module';
import { MessagesModule } from './messages/messages.module';
import { CacheModule } from './platform/cache/cache.module';
import { ConfigModule } from './platform/config/config.module';
import { DatabaseModule } from './platform/database/database.module';
import { EncryptionModule } from './platform/encryption/encryption.module';
import { HealthModule } from './platform/health/health.module';
import { HttpModule } from './platform/http/http.module';
import { IdempotencyModule } from './platform/idempotency/idempotency.module';
import { MailModule } from './platform/mail/mail.module';
import { MetricsModule } from './platform/metrics/metrics.module';
import { RedisModule } from './platform/redis/redis.module';
import { ProfileModule } from './profile/profile.module';
import { ProposalsModule } from './proposals/proposals.module';
import { SyncModule } from './sync/sync.module';
import { TemplatesModule } from './templates/templates.module';
import { TokensModule } from './tokens/tokens.module';
import { UsersModule } from './users/users.module';

/** The modules of the API: first the platform, then one module per domain. */
@Module({
  imports: [
    ConfigModule.forServer('api'),
    DatabaseModule,
    RedisModule,
    CacheModule,
    HttpModule,
    IdempotencyModule,
    HealthModule,
    MetricsModule,
    EncryptionModule,
    MailModule,
    AuditModule,
    AuthModule,
    UsersModule,
    JobsModule,
    ProposalsModule,
    MessagesModule,
    TokensModule,
    SyncModule,
    WebhooksModule,
    AnalyticsModule,
    ProfileModule,
    TemplatesModule,
    AiModule,
    CoverLettersModule,
    AdminModule,
  ],
})
export class AppModule {}
