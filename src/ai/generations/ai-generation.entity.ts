import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../../platform/database/base.entity';
import type { GenerationType } from '../prompt/build-prompt';
import { splitScreeningAnswers } from '../prompt/screening-answers';
import type { Finding } from '../prompt/answer-checks';

/** Statuses of a generation; the CHECK of ai_generations.status lists the same. */
export const GENERATION_STATUSES = ['pending', 'running', 'succeeded', 'failed', 'cancelled'] as const;

/** One of GENERATION_STATUSES. */
export type GenerationStatus = (typeof GENERATION_STATUSES)[number];

/** Returns true when the status is final. */
export function isFinished(status: GenerationStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

/** Options of generated columns, which the database computes. */
const GENERATED_COLUMN = {
  generatedType: 'STORED',
  nullable: true,
  select: false,
  insert: false,
  update: false,
} as const;

/** Text requested from a provider, in any status. */
@Entity('ai_generations')
export class AiGeneration extends BaseEntity {
  @Column('bigint', { name: 'job_id', nullable: true })
  jobId: number | null;

  /** Template used for the prompt; may have been deleted since. */
  @Column('bigint', { name: 'template_id', nullable: true })
  templateId: number | null;

  @Column('text', { name: 'generation_type' })
  type: GenerationType;

  @Column('text', { default: 'pending' })
  status: GenerationStatus;

  /** The user's instructions beyond the template. */
  @Column('text', { nullable: true })
  instructions: string | null;

  /** Prompt as sent: the system text, a line of dashes, the message. */
  @Column('text')
  prompt: string;

  /** Generated text; the part received when the call was cut. */
  @Column('text', { nullable: true })
  response: string | null;

  @Column('text', { nullable: true })
  provider: string | null;

  @Column('text', { name: 'model_used', nullable: true })
  model: string | null;

  @Column('integer', { name: 'input_ai_tokens', nullable: true })
  inputAiTokens: number | null;

  @Column('integer', { name: 'output_ai_tokens', nullable: true })
  outputAiTokens: number | null;

  @Column('integer', { name: 'cached_ai_tokens', nullable: true })
  cachedAiTokens: number | null;

  @Column({
    ...GENERATED_COLUMN,
    type: 'bigint',
    name: 'tokens_used',
    asExpression: 'coalesce(input_ai_tokens, 0)::bigint + coalesce(output_ai_tokens, 0)',
  })
  readonly tokensUsed?: number;

  /** Cost in USD of all calls, 12 decimals. */
  @Column('numeric', { precision: 24, scale: 12, nullable: true })
  cost: string | null;

  @Column('boolean', { name: 'usage_is_estimated', default: false })
  usageIsEstimated: boolean;

  @Column('text', { name: 'price_list_version', nullable: true })
  priceListVersion: string | null;

  @Column({ ...GENERATED_COLUMN, type: 'boolean', asExpression: `status = 'succeeded'` })
  readonly success?: boolean;

  @Column('jsonb', { default: '[]' })
  findings: Finding[];

  @Column('text', { nullable: true })
  error: string | null;

  @Column('integer', { name: 'duration_ms', nullable: true })
  durationMs: number | null;

  @Column('integer', { default: 1 })
  readonly version: number;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;
}

/** Returns the text of a draft without its answers to screening questions. */
export function getLetter({ response }: Pick<AiGeneration, 'response'>): string | null {
  return response === null ? null : splitScreeningAnswers(response).letter;
}
