import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/validation/money-field';
import { type AiGeneration, GENERATION_STATUSES, type GenerationStatus } from './ai-generation.entity';
import { GENERATION_TYPES, type GenerationType } from '../prompt/build-prompt';
import { IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { IntegerParam, ListParam, NullableField, OptionalField } from '../../platform/http/validation/fields';
import { NullableTextField } from '../../platform/http/validation/text';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';

/** Something to look at before a draft is sent. */
export class FindingDto {
  @ApiProperty({
    type: String,
    enum: ['contact_details', 'claim_beyond_profile', 'truncated', 'filtered'],
    description: 'What it is.',
    example: 'claim_beyond_profile',
  })
  code: string;

  @ApiProperty({
    type: String,
    description: 'A sentence for the user.',
    example: 'it says "20 years", but your profile says 12 years',
  })
  message: string;

  @ApiProperty({ type: String, description: 'The words it is about.', example: '20 years' })
  excerpt: string;
}

const COUNT_SCHEMA = { type: 'integer', nullable: true } as const;

/** A generation as the API shows it. */
export class GenerationDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 7 })
  id: number;

  @ApiProperty({ type: String, enum: GENERATION_TYPES, description: 'What it is.', example: 'cover_letter' })
  type: GenerationType;

  @ApiProperty({ type: 'integer', nullable: true, description: 'The job it is for.', example: 42 })
  jobId: number | null;

  @ApiProperty({ type: String, enum: GENERATION_STATUSES, description: 'The status.', example: 'succeeded' })
  status: GenerationStatus;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The text; of a call that was cut, what had come.',
    example: 'Dear client, …',
  })
  text: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What was wished for.', example: null })
  instructions: string | null;

  @ApiProperty({ type: [FindingDto], description: 'What to look at before sending it.' })
  findings: FindingDto[];

  @ApiProperty({ type: String, nullable: true, description: 'The vendor that wrote it.', example: 'anthropic' })
  provider: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The model that wrote it.', example: 'claude-sonnet-4-5' })
  model: string | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'aiTokens sent, cached ones included.', example: 812 })
  inputAiTokens: number | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'aiTokens written.', example: 240 })
  outputAiTokens: number | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'aiTokens sent that the vendor had cached.', example: 0 })
  cachedAiTokens: number | null;

  @ApiAmount({ places: 12, nullable: true, description: 'USD of all calls it took.', example: '0.006036000000' })
  costUsd: string | null;

  @ApiProperty({ type: Boolean, description: 'The vendor broke off before it told all of the usage.', example: false })
  usageIsEstimated: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'The price list the cost is by.', example: '2026-11-01' })
  priceListVersion: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why it is not complete.', example: null })
  error: string | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'How long it took, in milliseconds.', example: 4100 })
  durationMs: number | null;

  @ApiProperty({ type: 'integer', description: 'Grows with each change; its ETag.', example: 2 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was asked for.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it last changed.',
    example: '2026-01-31T09:30:04.000Z',
  })
  updatedAt: Date;

  /** Shows a row of the table; what was sent to the vendor stays out of it. */
  static from(this: void, row: AiGeneration): GenerationDto {
    const { id, type, jobId, status, response: text, instructions, findings } = row;
    const { provider, model, inputAiTokens, outputAiTokens, cachedAiTokens, cost: costUsd } = row;
    const { usageIsEstimated, priceListVersion, error, durationMs, version, createdAt, updatedAt } = row;
    const content = { id, type, jobId, status, text, instructions, findings };
    const usage = { provider, model, inputAiTokens, outputAiTokens, cachedAiTokens, costUsd, usageIsEstimated };
    return { ...content, ...usage, priceListVersion, error, durationMs, version, createdAt, updatedAt };
  }
}

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

/** Filters of the list of generations. */
export class ListGenerationsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only those for this job.', example: 42 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  jobId?: number;

  @ApiPropertyOptional({
    enum: GENERATION_TYPES,
    isArray: true,
    description: 'Only those of these types; repeat it or use commas.',
    example: ['message'],
  })
  @ListParam()
  @IsIn(GENERATION_TYPES, { each: true })
  type?: GenerationType[];

  @ApiPropertyOptional({
    enum: GENERATION_STATUSES,
    isArray: true,
    description: 'Only those in these statuses; repeat it or use commas.',
    example: ['failed'],
  })
  @ListParam()
  @IsIn(GENERATION_STATUSES, { each: true })
  status?: GenerationStatus[];
}
