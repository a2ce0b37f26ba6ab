import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { NullableField } from '../../platform/http/fields';
import { TextField } from '../../platform/http/text-field';

/** Body of POST /v1/saved-searches. */
export class CreateSavedSearchDto {
  @ApiProperty({ type: String, maxLength: 100, description: 'Its name; each is used once.', example: 'Slow databases' })
  @TextField(100)
  name: string;

  @ApiProperty({
    type: String,
    maxLength: 500,
    description: "What to look for, in Upwork's search syntax.",
    example: 'postgresql AND performance',
  })
  @TextField(500)
  query: string;

  @ApiPropertyOptional({
    type: String,
    enum: ['fixed', 'hourly'],
    nullable: true,
    description: 'Only vacancies that pay so.',
    example: 'hourly',
  })
  @NullableField()
  @IsIn(['fixed', 'hourly'])
  jobType?: 'fixed' | 'hourly' | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 168,
    nullable: true,
    description: 'You are told of new matches at most once in so many hours; null: never.',
    example: 24,
  })
  @NullableField()
  @IsInt()
  @Min(1)
  @Max(168)
  alertHours?: number | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    nullable: true,
    description: 'The webhook of yours that is told; null: a mail tells you.',
    example: 2,
  })
  @NullableField()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  webhookId?: number | null;
}
