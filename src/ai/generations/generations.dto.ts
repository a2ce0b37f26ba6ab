import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../platform/http/openapi/dto-fields';
import { type AiGeneration, GENERATION_STATUSES, type GenerationStatus } from './ai-generation.entity';
import { GENERATION_TYPES, type GenerationType } from '../prompt/build-prompt';
import { splitScreeningAnswers } from '../prompt/screening-answers';
import { Matches } from 'class-validator';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';
import { EnumField, IdField, TextField } from '../../platform/http/validation/fields';
import { EnumListParam, IdParam } from '../../platform/http/validation/query-params';
import { ApiAmount } from '../../platform/http/validation/money-field';
import { Sensitive } from '../../platform/logging/sensitive-fields';

/** Warning to review before a draft is sent. */
export class FindingDto {
  @ApiProperty({
    type: String,
    enum: ['contact_details', 'claim_beyond_profile', 'truncated', 'filtered'],
    description: 'Kind of the finding.',
    example: 'claim_beyond_profile',
  })
  code: string;

  @ApiProperty({
    type: String,
    description: 'Explanation for the user.',
    example: 'The draft says "20 years", but your profile says 12 years.',
  })
  message: string;

  @ApiProperty({ type: String, description: 'Words of the draft that the finding is about.', example: '20 years' })
  excerpt: string;
}

const COUNT_SCHEMA = { type: 'integer', nullable: true } as const;

/** Generation in API responses. */
export class GenerationDto {
  @ApiProperty({ type: 'integer', description: 'Id of the generation.', example: 7 })
  id: number;

  @ApiProperty({ type: String, enum: GENERATION_TYPES, description: 'Kind of text.', example: 'cover_letter' })
  type: GenerationType;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the job it is for.', example: 42 })
  jobId: number | null;

  @ApiProperty({
    type: String,
    enum: GENERATION_STATUSES,
    description: 'Status of the generation.',
    example: 'succeeded',
  })
  status: GenerationStatus;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Generated text; the part received when the call was cut.',
    example: 'Dear client, …',
  })
  @Sensitive()
  text: string | null;

  @ApiProperty({
    type: [String],
    description: "Answers to the job's screening questions, in their order. An accepted cover letter omits them.",
    example: [],
  })
  @Sensitive()
  screeningAnswers: readonly string[];

  @ApiProperty({ type: String, nullable: true, description: 'Instructions given by the user.', example: null })
  @Sensitive()
  instructions: string | null;

  @ApiProperty({ type: [FindingDto], description: 'Warnings to review before sending it.' })
  findings: FindingDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Provider that wrote the text.', example: 'anthropic' })
  provider: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Model that wrote the text.',
    example: 'claude-sonnet-4-5',
  })
  model: string | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'Number of aiTokens sent, cached ones included.', example: 812 })
  inputAiTokens: number | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'Number of aiTokens written.', example: 240 })
  outputAiTokens: number | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'Number of aiTokens sent that the provider had cached.', example: 0 })
  cachedAiTokens: number | null;

  @ApiAmount({ places: 12, nullable: true, description: 'Cost of all calls in USD.', example: '0.006036000000' })
  costUsd: string | null;

  @ApiProperty({
    type: Boolean,
    description: 'True when the provider did not report all of the usage.',
    example: false,
  })
  usageIsEstimated: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Version of the price list used for the cost.',
    example: '2026-11-01',
  })
  priceListVersion: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Reason why the text is missing or incomplete.',
    example: null,
  })
  error: string | null;

  @ApiProperty({ ...COUNT_SCHEMA, description: 'Duration in milliseconds.', example: 4100 })
  durationMs: number | null;

  @ApiProperty({ type: 'integer', description: 'Version number, used as the ETag.', example: 2 })
  version: number;

  @ApiInstant({ description: 'When the generation was requested (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When the generation last changed (UTC).', example: '2026-01-31T09:30:04.000Z' })
  updatedAt: Date;

  /** Maps a row; the prompt is left out. */
  static from(this: void, row: AiGeneration): GenerationDto {
    const { id, type, jobId, status, response: text, instructions, findings } = row;
    const { provider, model, inputAiTokens, outputAiTokens, cachedAiTokens, cost: costUsd } = row;
    const { usageIsEstimated, priceListVersion, error, durationMs, version, createdAt, updatedAt } = row;
    const screeningAnswers = splitScreeningAnswers(text ?? '').answers;
    const content = { id, type, jobId, status, text, screeningAnswers, instructions, findings };
    const usage = { provider, model, inputAiTokens, outputAiTokens, cachedAiTokens, costUsd, usageIsEstimated };
    return { ...content, ...usage, priceListVersion, error, durationMs, version, createdAt, updatedAt };
  }
}

/** Body of POST /v1/ai/generations. */
export class CreateGenerationDto {
  @EnumField(GENERATION_TYPES, { description: 'Kind of text to write.', example: 'cover_letter' })
  type: GenerationType;

  @IdField({ nullable: true, description: 'Id of one of your jobs.', example: 42 })
  jobId?: number | null;

  @TextField({
    max: 100,
    trim: false,
    optional: true,
    description:
      'Id from GET /v1/ai/models; no other model is tried. Without it, providers are tried in the order of the ' +
      'installation.',
    examples: ['claude'],
  })
  @Matches(/^[\w.:/-]{1,100}$/, { message: 'model must be an id from GET /v1/ai/models.' })
  model?: string;

  @TextField({
    max: 2_000,
    nullable: true,
    description: 'Additional instructions for the draft.',
    example: 'Mention that I can start on Monday.',
  })
  @Sensitive()
  instructions?: string | null;

  @IdField({
    nullable: true,
    description: 'Id of the template to follow; by default the newest one of the type.',
    example: 3,
  })
  templateId?: number | null;
}

/** Filters of GET /v1/ai/generations. */
export class ListGenerationsDto extends PageQueryDto {
  @IdParam({ description: 'Only generations for this job.', example: 42 })
  jobId?: number;

  @EnumListParam(GENERATION_TYPES, {
    description: 'Only generations of these types; repeat the parameter or separate values by commas.',
    example: ['message'],
  })
  type?: GenerationType[];

  @EnumListParam(GENERATION_STATUSES, {
    description: 'Only generations in these statuses; repeat the parameter or separate values by commas.',
    example: ['failed'],
  })
  status?: GenerationStatus[];
}
