import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { QueuesModule } from '../platform/queues/queues.module';
import { TaskRequests } from '../platform/scheduler/task-requests';
import { Deliveries } from './deliveries.service';
import { Webhook } from './webhook.entity';
import { WebhookSecrets } from './webhook-secrets.service';
import { WebhookSender } from './webhook-sender.service';
import { WebhooksController } from './webhooks.controller';
import { WebhooksService } from './webhooks.service';

/** What users are told unasked, and where: by mail or by their webhooks. */
@Module({
  imports: [TypeOrmModule.forFeature([Webhook]), AuditModule, QueuesModule],
  controllers: [WebhooksController],
  providers: [WebhooksService, WebhookSecrets, WebhookSender, Deliveries, TaskRequests],
  exports: [Deliveries],
})
export class AlertsModule {}
