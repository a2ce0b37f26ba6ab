import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';
import type { AiGeneration } from '../ai-generation.entity';
import { GENERATION_STATUSES, type GenerationStatus } from '../generation-status';
import { GENERATION_TYPES, type GenerationType } from '../generation-values';
import { FindingDto } from './finding.dto';

const COUNT = { type: 'integer', nullable: true } as const;

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

  @ApiProperty({ ...COUNT, description: 'aiTokens sent, cached ones included.', example: 812 })
  inputAiTokens: number | null;

  @ApiProperty({ ...COUNT, description: 'aiTokens written.', example: 240 })
  outputAiTokens: number | null;

  @ApiProperty({ ...COUNT, description: 'aiTokens sent that the vendor had cached.', example: 0 })
  cachedAiTokens: number | null;

  @ApiAmount({ places: 12, nullable: true, description: 'USD of all calls it took.', example: '0.006036000000' })
  costUsd: string | null;

  @ApiProperty({ type: Boolean, description: 'The vendor broke off before it told all of the usage.', example: false })
  usageIsEstimated: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'The price list the cost is by.', example: '2026-11-01' })
  priceListVersion: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why it is not complete.', example: null })
  error: string | null;

  @ApiProperty({ ...COUNT, description: 'How long it took, in milliseconds.', example: 4100 })
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
