import { Global, Module } from '@nestjs/common';
import { Mailer } from './mailer.service';
import { OutboxController } from './outbox.controller';
import { Outbox } from './outbox.service';

/** Mail for every module. */
@Global()
@Module({ controllers: [OutboxController], providers: [Mailer, Outbox], exports: [Mailer] })
export class MailModule {}
