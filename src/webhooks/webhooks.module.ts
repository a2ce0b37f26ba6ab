import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { QueuesModule } from '../platform/queues/queues.module';
import { TaskRequestService } from '../platform/scheduler/task-request.service';
import { DeliveriesService } from './deliveries.service';
import { Webhook } from './webhook.entity';
import { WebhookSecretsService, WebhookSenderService } from './webhook-sender.service';
import { WebhooksController } from './webhooks.controller';
import { WebhooksService } from './webhooks.service';

/** Deliveries to users, by email or by their webhooks. */
@Module({
  imports: [TypeOrmModule.forFeature([Webhook]), AuditModule, QueuesModule],
  controllers: [WebhooksController],
  providers: [WebhooksService, WebhookSecretsService, WebhookSenderService, DeliveriesService, TaskRequestService],
  exports: [DeliveriesService],
})
export class WebhooksModule {}
