import { ApiProperty } from '@nestjs/swagger';
import { ApiId, ApiInstant, pickFields } from '../../platform/http/openapi/dto-fields';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';
import { EnumField } from '../../platform/http/validation/fields';
import { BooleanParam, IdParam } from '../../platform/http/validation/query-params';
import { Sensitive } from '../../platform/logging/sensitive-fields';

const SENDERS = ['client', 'freelancer'] as const;
type Sender = (typeof SENDERS)[number];

/** Query of GET /v1/conversations. */
export class ListConversationsDto extends PageQueryDto {
  @IdParam({ description: 'Only conversations about this job.', example: 42 })
  jobId?: number;

  @BooleanParam({ description: 'True for conversations with unread messages, false for the others.', example: true })
  unread?: boolean;

  @EnumField(SENDERS, {
    optional: true,
    description: 'Only conversations that wait for an answer of the client, or of the freelancer.',
    example: 'freelancer',
  })
  waitingFor?: Sender;
}

/** A conversation as the API returns it. */
export class ConversationDto {
  @ApiId('Id of the conversation.')
  id: number;

  @ApiProperty({ type: String, description: "Upwork's id of the room.", example: 'room_3f1c8a7e2b904d56' })
  roomId: string;

  @ApiProperty({ type: String, nullable: true, description: 'Name of the room on Upwork.', example: 'Chris M.' })
  title: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Topic of the room on Upwork.', example: 'A Webflow site' })
  topic: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the job it is about.', example: 42 })
  jobId: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the proposal it belongs to.', example: 7 })
  proposalId: number | null;

  @ApiProperty({ type: 'integer', description: 'Number of unread messages of the client.', example: 2 })
  unreadCount: number;

  @ApiInstant({ description: 'When the last message was sent (UTC); without messages, when it was stored.' })
  lastActivityAt: Date;

  @ApiProperty({
    type: String,
    enum: SENDERS,
    nullable: true,
    description: 'Author of the last message; null without messages.',
    example: 'client',
  })
  lastSenderType: Sender | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The first 200 characters of the last message; null without messages.',
    example: 'When can you start?',
  })
  @Sensitive()
  lastText: string | null;

  @ApiProperty({
    type: String,
    enum: SENDERS,
    nullable: true,
    description: 'Whose answer is awaited: not the author of the last message. Null without messages.',
    example: 'freelancer',
  })
  waitingFor: Sender | null;

  @ApiInstant({ description: 'When it was stored (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When its room, job or proposal last changed (UTC).' })
  updatedAt: Date;

  /** Builds the DTO from a row. */
  static from(this: void, row: ConversationDto): ConversationDto {
    return pickFields(ConversationDto, row);
  }
}
