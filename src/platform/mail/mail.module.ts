import { Global, Module } from '@nestjs/common';
import { QueuesModule } from '../queues/queues.module';
import { TaskRequestService } from '../scheduler/task-request.service';
import { MailerService, EmailOutboxService } from './mailer.service';
import { OutboxController } from './outbox.controller';
import { SmtpTransport } from './smtp-transport';

/** Email for every module. */
@Global()
@Module({
  imports: [QueuesModule],
  controllers: [OutboxController],
  providers: [MailerService, EmailOutboxService, SmtpTransport, TaskRequestService],
  exports: [MailerService, EmailOutboxService],
})
export class MailModule {}
