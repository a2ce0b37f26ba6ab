import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn, MoneyColumn } from '../platform/database/base.entity';
import type { JobDetails } from './job-details.dto';
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

  /** Upwork's number of the job, set by the synchronisation. */
  @Column({ type: 'text', name: 'upwork_job_number', nullable: true, insert: false })
  upworkJobNumber: string | null;

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

  @InstantColumn('posted_at', { nullable: true })
  postedAt: Date | null;

  @InstantColumn('renewed_at', { nullable: true })
  renewedAt: Date | null;

  @MoneyColumn('client_spent')
  clientSpent: string | null;

  @Column('text', { name: 'client_spent_currency', nullable: true })
  clientSpentCurrency: string | null;

  @Column('integer', { name: 'client_hires', nullable: true })
  clientHires: number | null;

  @Column('integer', { name: 'client_posted_jobs', nullable: true })
  clientPostedJobs: number | null;

  @Column('double precision', { name: 'client_rating', nullable: true })
  clientRating: number | null;

  @Column('integer', { name: 'client_reviews', nullable: true })
  clientReviews: number | null;

  @Column('boolean', { name: 'client_payment_verified', nullable: true })
  clientPaymentVerified: boolean | null;

  @Column('date', { name: 'client_member_since', nullable: true })
  clientMemberSince: string | null;

  @Column('integer', { nullable: true })
  applicants: number | null;

  @Column('integer', { name: 'freelancers_to_hire', nullable: true })
  freelancersToHire: number | null;

  @Column('boolean', { name: 'is_filled', nullable: true })
  isFilled: boolean | null;

  @Column('boolean', { name: 'already_applied', nullable: true })
  alreadyApplied: boolean | null;

  @Column('boolean', { nullable: true })
  premium: boolean | null;

  @Column('boolean', { nullable: true })
  enterprise: boolean | null;

  @Column('text', { name: 'preferred_locations', array: true, nullable: true })
  preferredLocations: string[] | null;

  @Column('boolean', { name: 'location_required', nullable: true })
  locationRequired: boolean | null;

  /** What only its full posting says; null until it was read. */
  @Column('jsonb', { nullable: true })
  details: JobDetails | null;

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
