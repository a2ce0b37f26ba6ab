import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { NullableField, OptionalField } from '../../platform/http/fields';
import { NullableTextField } from '../../platform/http/text-field';
import { GENERATION_TYPES, type GenerationType } from '../generation-values';

/** What a draft is asked for with. */
export class CreateGenerationDto {
  @ApiProperty({ type: String, enum: GENERATION_TYPES, description: 'What to write.', example: 'cover_letter' })
  @IsIn(GENERATION_TYPES)
  type: GenerationType;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 1,
    description: 'The job it is for: one of your own.',
    example: 42,
  })
  @NullableField()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  jobId?: number | null;

  @ApiPropertyOptional({
    type: String,
    maxLength: 100,
    description:
      'A model of GET /v1/ai/models, and no other; without it the vendors are tried in the order of the installation.',
    examples: ['claude'],
  })
  @OptionalField()
  @IsString()
  @Matches(/^[\w.:/-]{1,100}$/, { message: 'model must be an id of GET /v1/ai/models' })
  model?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 2000,
    description: 'What you wish for besides.',
    example: 'Mention that I can start on Monday.',
  })
  @NullableTextField(2_000)
  instructions?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 1,
    description: 'The template to follow; the newest of the type unless you name one.',
    example: 3,
  })
  @NullableField()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  templateId?: number | null;
}
