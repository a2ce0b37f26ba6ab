import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn, MoneyColumn } from '../platform/database/base.entity';
import type { ExperienceLevel, JobStatus, JobType } from './job-values';

/** Columns the database makes of others; queries filter by them, nobody reads them. */
const GENERATED = { generatedType: 'STORED', nullable: true, select: false, insert: false, update: false } as const;

/** Money in bigint hundredths, which a filter can use an index for. */
function HundredthsOf(column: string): PropertyDecorator {
  const asExpression = `(nullif(${column}, 'NaN') * 100)::bigint`;
  return Column({ ...GENERATED, type: 'bigint', name: `${column}_hundredths`, asExpression });
}

/** An Upwork vacancy that a tenant keeps. */
@Entity('jobs')
export class Job extends BaseEntity {
  /** What makes two rows of a tenant the same job. @see source-key.ts */
  @Column('text', { name: 'source_key' })
  sourceKey: string;

  @Column('text', { name: 'upwork_job_id', nullable: true })
  upworkJobId: string | null;

  @Column('text')
  title: string;

  @Column('text', { nullable: true })
  description: string | null;

  @MoneyColumn('budget_min')
  budgetMin: string | null;

  @MoneyColumn('budget_max')
  budgetMax: string | null;

  @MoneyColumn('hourly_rate_min')
  hourlyRateMin: string | null;

  @MoneyColumn('hourly_rate_max')
  hourlyRateMax: string | null;

  @Column('text', { default: 'USD' })
  currency: string;

  @Column('text', { array: true, default: '{}' })
  skills: string[];

  @Column('text', { nullable: true })
  category: string | null;

  @Column('text', { nullable: true })
  subcategory: string | null;

  @Column('text', { nullable: true })
  country: string | null;

  @Column('jsonb', { name: 'client_info', nullable: true })
  clientInfo: Record<string, unknown> | null;

  @Column('text', { name: 'job_type', nullable: true })
  jobType: JobType | null;

  @Column('text', { name: 'experience_level', nullable: true })
  experienceLevel: ExperienceLevel | null;

  @Column('text', { nullable: true })
  duration: string | null;

  @Column('text', { nullable: true })
  workload: string | null;

  @Column('text', { default: 'active' })
  status: JobStatus;

  @Column('boolean', { name: 'is_favorite', default: false })
  isFavorite: boolean;

  /** The vacancy as its source gave it; read by nobody but its tenant's export. */
  @Column('jsonb', { name: 'source_payload', nullable: true, select: false })
  readonly sourcePayload?: unknown;

  /** When a synchronisation last saw it; moves without being a change. */
  @InstantColumn('fetched_at', { nullable: true, select: false, insert: false, update: false })
  readonly fetchedAt?: Date | null;

  /** When its content was given up. */
  @InstantColumn('expired_at', { nullable: true, select: false, insert: false, update: false })
  readonly expiredAt?: Date | null;

  @HundredthsOf('budget_min')
  readonly budgetMinHundredths?: number;

  @HundredthsOf('budget_max')
  readonly budgetMaxHundredths?: number;

  @HundredthsOf('hourly_rate_min')
  readonly hourlyRateMinHundredths?: number;

  @HundredthsOf('hourly_rate_max')
  readonly hourlyRateMaxHundredths?: number;

  @Column({ ...GENERATED, type: 'tsvector', asExpression: 'app.search_document(title, skills, description)' })
  readonly search?: string;

  @Column('integer', { default: 1 })
  readonly version: number;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;
}
