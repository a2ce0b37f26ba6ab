import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn, MoneyColumn } from '../platform/database/base.entity';
import type { ExperienceLevel, JobStatus, JobType } from './job-values';

/** Columns that PostgreSQL generates. Queries filter by them and do not select them. */
const GENERATED = { generatedType: 'STORED', nullable: true, select: false, insert: false, update: false } as const;

/** Declares a generated bigint column with an amount in hundredths, which an index can serve. */
function HundredthsOf(column: string): PropertyDecorator {
  const asExpression = `(nullif(${column}, 'NaN') * 100)::bigint`;
  return Column({ ...GENERATED, type: 'bigint', name: `${column}_hundredths`, asExpression });
}

/** An Upwork job stored by a tenant. */
@Entity('jobs')
export class Job extends BaseEntity {
  /** The key that identifies a job of a tenant. @see job-content.ts */
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

  /** The job as its source sent it. Only the tenant's export reads it. */
  @Column('jsonb', { name: 'source_payload', nullable: true, select: false })
  readonly sourcePayload?: unknown;

  /** When a synchronisation last found it. An update of it is not a change of the job. */
  @InstantColumn('fetched_at', { nullable: true, select: false, insert: false, update: false })
  readonly fetchedAt?: Date | null;

  /** When its content expired. */
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
