import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { BooleanParam, IntegerParam, NullableField, OptionalField } from '../platform/http/validation/fields';
import { TextField } from '../platform/http/validation/text';
import { PageQueryDto } from '../platform/http/pagination/page.dto';
import type { Message } from './message.entity';

/** Longest message; the CHECK of messages.content says the same. */
const MAX_CONTENT = 50_000;

/** What a new message is made of. */
export class CreateMessageDto {
  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 1,
    description: 'The job it is about: one of your own.',
    example: 42,
  })
  @NullableField()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  jobId?: number | null;

  @ApiProperty({
    enum: ['client', 'freelancer'],
    description: 'Who wrote it; what you wrote is read.',
    example: 'client',
  })
  @IsIn(['client', 'freelancer'])
  senderType: 'client' | 'freelancer';

  @ApiProperty({
    type: String,
    minLength: 1,
    maxLength: MAX_CONTENT,
    description: 'Its text.',
    example: 'When can you start?',
  })
  @TextField(MAX_CONTENT)
  content: string;
}

/** The orders a list of messages comes in. */
export const MESSAGE_SORTS = ['-createdAt', 'createdAt'] as const;

/** Filters and sort of the list of messages. */
export class ListMessagesDto extends PageQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only those about this job.', example: 42 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  jobId?: number;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'Only those that are read, or only those that are not.',
    example: false,
  })
  @BooleanParam()
  isRead?: boolean;

  @ApiPropertyOptional({
    enum: MESSAGE_SORTS,
    default: '-createdAt',
    description: 'The order; a minus means latest first.',
    example: '-createdAt',
  })
  @OptionalField()
  @IsIn(MESSAGE_SORTS)
  sort: (typeof MESSAGE_SORTS)[number] = '-createdAt';
}

/** A message as the API shows it. */
export class MessageDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 11 })
  id: number;

  @ApiProperty({ type: 'integer', nullable: true, description: 'The job it is about.', example: 42 })
  jobId: number | null;

  @ApiProperty({ type: String, nullable: true, description: "Upwork's id of the room, once known.", example: null })
  roomId: string | null;

  @ApiProperty({ type: String, nullable: true, description: "Upwork's id of it, once known.", example: null })
  upworkMessageId: string | null;

  @ApiProperty({ enum: ['client', 'freelancer'], description: 'Who wrote it.', example: 'client' })
  senderType: 'client' | 'freelancer';

  @ApiProperty({ type: String, description: 'Its text.', example: 'When can you start?' })
  content: string;

  @ApiProperty({
    type: Boolean,
    description: 'Whether you have read it; always so for what you wrote.',
    example: false,
  })
  isRead: boolean;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When you read it; null for what you wrote.',
    example: null,
  })
  readAt: Date | null;

  @ApiProperty({ type: 'integer', description: 'Counts its changes; its ETag.', example: 1 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was stored.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it last changed.',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Shows a row of the table. */
  static from(this: void, message: Message): MessageDto {
    return {
      id: message.id,
      jobId: message.jobId,
      roomId: message.roomId,
      upworkMessageId: message.upworkMessageId,
      senderType: message.senderType,
      content: message.content,
      isRead: message.isRead,
      readAt: message.readAt,
      version: message.version,
      createdAt: message.createdAt,
      updatedAt: message.updatedAt,
    };
  }
}

/** How many messages became read. */
export class MessagesReadDto {
  @ApiProperty({ type: 'integer', description: 'How many were unread before.', example: 3 })
  updated: number;
}

/** Which messages were read: all about one job. */
export class ReadMessagesDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'The job whose messages were read.', example: 42 })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  jobId: number;
}

/** How many messages wait to be read. */
export class UnreadCountDto {
  @ApiProperty({ type: 'integer', description: "How many of the clients' messages are unread.", example: 3 })
  unread: number;
}
