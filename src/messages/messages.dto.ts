import { ApiProperty, OmitType } from '@nestjs/swagger';
import { ApiId, ApiInstant, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import { PageQueryDto } from '../platform/http/pagination/page.dto';
import { BooleanField, EnumField, IdField, TextField } from '../platform/http/validation/fields';
import { BooleanParam, IdParam } from '../platform/http/validation/query-params';
import { Sensitive } from '../platform/logging/sensitive-fields';
import { DELIVERIES, type Delivery } from './message.entity';

/** Limit of a message, equal to the CHECK of messages.content. */
const MAX_CONTENT = 50_000;

/** Body of POST /v1/messages. */
export class CreateMessageDto {
  @IdField({ nullable: true, description: 'Id of the job it is about.', example: 42 })
  jobId?: number | null;

  @TextField({
    max: 100,
    optional: true,
    description: "Upwork's id of the room to send to; only with `send`. Alternatively give jobId.",
  })
  roomId?: string;

  @EnumField(['client', 'freelancer'], {
    optional: true,
    description: 'Author of the message; required without `send`. Your own counts as read.',
    example: 'client',
  })
  senderType?: 'client' | 'freelancer';

  @TextField({ max: MAX_CONTENT, description: 'Text of the message.', example: 'When can you start?' })
  @Sensitive()
  content: string;

  @BooleanField({
    optional: true,
    description: 'True sends your message to the room on Upwork; false or absent only stores it here.',
  })
  send?: boolean;
}

/** Sort orders of the list. */
export const MESSAGE_SORTS = ['-createdAt', 'createdAt'] as const;

/** Query of GET /v1/messages. */
export class ListMessagesDto extends PageQueryDto {
  @IdParam({ description: 'Only messages about this job.', example: 42 })
  jobId?: number;

  @TextField({
    max: 100,
    optional: true,
    description: 'Only messages of this room on Upwork.',
    example: 'room_3f1c8a7e',
  })
  roomId?: string;

  @BooleanParam({ description: 'True for read messages only, false for unread ones.', example: false })
  isRead?: boolean;

  @EnumField(MESSAGE_SORTS, {
    optional: true,
    default: '-createdAt',
    description: 'Sort order; a minus sorts newest first.',
    example: '-createdAt',
  })
  sort: (typeof MESSAGE_SORTS)[number] = '-createdAt';
}

/** A message as the API returns it. */
export class MessageDto extends ResponseType(OmitType(CreateMessageDto, ['roomId', 'send'])) {
  @ApiId('Id of the message.')
  id: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "Upwork's id of the room; null for a message that is not from Upwork.",
    example: null,
  })
  roomId: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "Upwork's id of the message; null for a message that is not from Upwork.",
    example: null,
  })
  upworkMessageId: string | null;

  @ApiProperty({
    type: String,
    enum: DELIVERIES,
    nullable: true,
    description:
      'State of a reply that is sent to Upwork; null for other messages. `unknown`: no answer arrived, so Upwork may ' +
      'have it or not. Its room is searched for it.',
    example: null,
  })
  delivery: Delivery | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why a reply failed or is unknown, such as the missing permission.',
    example: null,
  })
  deliveryError: string | null;

  @ApiProperty({
    type: 'integer',
    description:
      'Number of files that the message has on Upwork. A message of files only has a text such as "(a file)".',
    example: 0,
  })
  attachmentCount: number;

  @ApiProperty({
    type: Boolean,
    description: 'True when you have read it; always true for your own.',
    example: false,
  })
  isRead: boolean;

  @ApiInstant({ description: 'When you read it (UTC); null for your own and for unread messages.', nullable: true })
  readAt: Date | null;

  @ApiVersionNumber()
  version: number;

  @ApiInstant({ description: 'When it was stored (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When it was last changed (UTC).' })
  updatedAt: Date;

  /** Builds the DTO from a row. */
  static from(this: void, message: MessageDto): MessageDto {
    return pickFields(MessageDto, message);
  }
}

/** The number of messages that were marked as read. */
export class MessagesReadDto {
  @ApiProperty({ type: 'integer', description: 'Messages that were unread before.', example: 3 })
  updated: number;
}

/** Body of POST /v1/messages/read. */
export class ReadMessagesDto {
  @IdField({ description: 'Id of the job whose messages to mark as read.', example: 42 })
  jobId: number;
}

/** The number of unread messages. */
export class UnreadCountDto {
  @ApiProperty({ type: 'integer', description: 'Unread messages of clients.', example: 3 })
  unread: number;
}
