import { ApiProperty } from '@nestjs/swagger';
import type { Message } from '../message.entity';

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
