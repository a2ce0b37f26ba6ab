import { Global, Module } from '@nestjs/common';
import { QueuesModule } from '../queues/queues.module';
import { TaskRequests } from '../scheduler/task-requests';
import { Mailer } from './mailer.service';
import { OutboxController } from './outbox.controller';
import { Outbox } from './outbox.service';
import { SmtpTransport } from './smtp-transport';

/** Email for every module. */
@Global()
@Module({
  imports: [QueuesModule],
  controllers: [OutboxController],
  providers: [Mailer, Outbox, SmtpTransport, TaskRequests],
  exports: [Mailer],
})
export class MailModule {}
