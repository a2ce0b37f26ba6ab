import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { NullableField } from '../../platform/http/fields';
import { TextField } from '../../platform/http/text-field';

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
