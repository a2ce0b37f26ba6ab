import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UpworkModule } from '../upwork/upwork.module';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { Message } from './message.entity';
import { MessagesController } from './messages.controller';
import { MessagesService } from './messages.service';
import { UpworkMessagesService } from './upwork-messages.service';
import { UpworkRoomsService } from './upwork-rooms.service';

declareConstraint('messages_job_id_fk', {
  code: 'reference.not_found',
  pointer: '/jobId',
  message: 'You have no job with this id.',
});

/** Conversations with clients. */
@Module({
  imports: [TypeOrmModule.forFeature([Message]), UpworkModule],
  controllers: [MessagesController],
  providers: [MessagesService, UpworkMessagesService, UpworkRoomsService],
  exports: [UpworkRoomsService],
})
export class MessagesModule {}
