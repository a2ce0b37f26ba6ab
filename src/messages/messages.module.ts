import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TokensModule } from '../tokens/tokens.module';
import { UpworkModule } from '../upwork/upwork.module';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { ConversationsController } from './conversations/conversations.controller';
import { ConversationsService } from './conversations/conversations.service';
import { Message } from './message.entity';
import { MessageDeliveryService } from './message-delivery.service';
import { MessagesController } from './messages.controller';
import { MessagesService } from './messages.service';
import { UpworkMessagesService } from './upwork-messages.service';
import { UpworkRoomsService } from './upwork-rooms.service';

declareConstraint('messages_job_id_fk', {
  code: 'reference.not_found',
  pointer: '/jobId',
  message: 'You have no job with this id.',
});

declareConstraint('messages_one_undecided_per_text', {
  code: 'message.undecided',
  pointer: '/content',
  message: 'The same text is being sent to this room. Wait for the result, send that message again or discard it.',
});

/** Conversations with clients. */
@Module({
  imports: [TypeOrmModule.forFeature([Message]), TokensModule, UpworkModule],
  controllers: [MessagesController, ConversationsController],
  providers: [MessagesService, MessageDeliveryService, ConversationsService, UpworkMessagesService, UpworkRoomsService],
  exports: [UpworkMessagesService, UpworkRoomsService],
})
export class MessagesModule {}
