import { ApiProperty, OmitType, PartialType } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { ApiId, ApiInstant, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import {
  BooleanField,
  CountField,
  DayField,
  EnumField,
  InstantField,
  NumberField,
  TextField,
  TextListField,
} from '../platform/http/validation/fields';
import { JsonObjectField } from '../platform/http/validation/json-object-field';
import { CurrencyField, MoneyField } from '../platform/http/validation/money-field';
import {
  CLIENT_INFO_LIMITS,
  EXPERIENCE_LEVELS,
  type ExperienceLevel,
  JOB_STATUSES,
  JOB_TYPES,
  type JobStatus,
  type JobType,
  SETTABLE_JOB_STATUSES,
  type SettableJobStatus,
} from './job-values';

/** Body of POST /v1/jobs, and a row of an import. */
export class CreateJobDto {
  @TextField({
    max: 100,
    nullable: true,
    description: "Upwork's id of the job; each user has it at most once.",
    example: '~01a2b3c4d5e6f70819',
  })
  upworkJobId?: string | null;

  @TextField({ max: 500, description: 'Title of the job.', example: 'Speed up slow PostgreSQL queries' })
  title: string;

  @TextField({
    max: 50_000,
    nullable: true,
    description: 'Full text of the job.',
    example: 'Our reports take minutes. Find out why, and make them take seconds.',
  })
  description?: string | null;

  @MoneyField({
    nullable: true,
    description: 'Lower end of the budget of a fixed-price job; not above budgetMax.',
    example: '500.00',
  })
  budgetMin?: string | null;

  @MoneyField({ nullable: true, description: 'Upper end of the budget of a fixed-price job.', example: '1000.00' })
  budgetMax?: string | null;

  @MoneyField({
    nullable: true,
    description: 'Lower end of the hourly rate; not above hourlyRateMax.',
    example: '25.00',
  })
  hourlyRateMin?: string | null;

  @MoneyField({ nullable: true, description: 'Upper end of the hourly rate.', example: '35.00' })
  hourlyRateMax?: string | null;

  @CurrencyField({
    optional: true,
    description: 'Currency of all amounts, ISO 4217. The default for a new job is USD.',
    example: 'USD',
  })
  currency?: string;

  @TextListField({
    maxItems: 50,
    max: 100,
    optional: true,
    description: 'Required skills, each at most 100 characters; repetitions are removed.',
    example: ['PostgreSQL', 'Performance Optimization'],
  })
  @Transform(({ value }: TransformFnParams): unknown => (Array.isArray(value) ? listDistinct(value) : value))
  skills?: string[];

  @TextField({ max: 100, nullable: true, description: 'Upwork category.', example: 'Web, Mobile & Software Dev' })
  category?: string | null;

  @TextField({ max: 100, nullable: true, description: 'Upwork subcategory.', example: 'Web Development' })
  subcategory?: string | null;

  @TextField({ max: 100, nullable: true, description: 'Country of the client.', example: 'Germany' })
  country?: string | null;

  @JsonObjectField({
    ...CLIENT_INFO_LIMITS,
    nullable: true,
    description: 'Information about the client: any JSON object of at most 16 KiB and 8 levels.',
    example: { rating: 4.9, hires: 12, paymentVerified: true },
  })
  clientInfo?: Record<string, unknown> | null;

  @EnumField(JOB_TYPES, { nullable: true, description: 'Payment: a fixed price or by the hour.', example: 'fixed' })
  jobType?: JobType | null;

  @EnumField(EXPERIENCE_LEVELS, { nullable: true, description: 'Required experience.', example: 'expert' })
  experienceLevel?: ExperienceLevel | null;

  @TextField({ max: 100, nullable: true, description: 'Expected duration.', example: '1 to 3 months' })
  duration?: string | null;

  @TextField({ max: 100, nullable: true, description: 'Expected workload.', example: 'Less than 30 hrs/week' })
  workload?: string | null;

  @EnumField(SETTABLE_JOB_STATUSES, {
    optional: true,
    description:
      'Status of the job. Lists include archived jobs; only DELETE sets deleted. The default for a new job is active.',
    example: 'active',
  })
  status?: SettableJobStatus;

  @BooleanField({
    optional: true,
    description: 'True for a favourite of the user. The default is false.',
    example: false,
  })
  isFavorite?: boolean;

  @InstantField({ nullable: true, description: 'When the job was posted (UTC).', example: '2026-01-30T08:00:00.000Z' })
  postedAt?: Date | null;

  @InstantField({
    nullable: true,
    description: 'When the client last renewed the job (UTC).',
    example: '2026-01-31T08:00:00.000Z',
  })
  renewedAt?: Date | null;

  @MoneyField({
    nullable: true,
    description: 'Amount the client has spent on Upwork; 99999999.99 also means more.',
    example: '23420.42',
  })
  clientSpent?: string | null;

  @CurrencyField({ nullable: true, description: 'Currency of clientSpent, ISO 4217; null means USD.', example: 'USD' })
  clientSpentCurrency?: string | null;

  @CountField({ nullable: true, description: 'Number of freelancers the client has hired.', example: 12 })
  clientHires?: number | null;

  @CountField({ nullable: true, description: 'Number of jobs the client has posted.', example: 30 })
  clientPostedJobs?: number | null;

  @NumberField({
    min: 0,
    max: 5,
    nullable: true,
    description: "Average of the client's reviews with at most two places; null without a review.",
    example: 4.99,
  })
  clientRating?: number | null;

  @CountField({ nullable: true, description: 'Number of reviews of the client.', example: 9 })
  clientReviews?: number | null;

  @BooleanField({
    nullable: true,
    description: "Whether Upwork has verified the client's payment method.",
    example: true,
  })
  clientPaymentVerified?: boolean | null;

  @DayField({ nullable: true, description: 'Day on which the client joined Upwork.', example: '2019-03-02' })
  clientMemberSince?: string | null;

  @CountField({
    nullable: true,
    description:
      'Number of applicants. The synchronisation updates it with other changes of the job, and when it passes 5, 10, ' +
      '15, 20 or 50.',
    example: 7,
  })
  applicants?: number | null;

  @CountField({ nullable: true, description: 'Number of freelancers the client still wants to hire.', example: 1 })
  freelancersToHire?: number | null;

  @BooleanField({ nullable: true, description: 'Whether the client hires nobody else.', example: false })
  isFilled?: boolean | null;

  @BooleanField({ nullable: true, description: 'Whether the user has applied on Upwork.', example: false })
  alreadyApplied?: boolean | null;

  @BooleanField({ nullable: true, description: 'Whether Upwork features the job.', example: false })
  premium?: boolean | null;

  @BooleanField({ nullable: true, description: 'Whether an enterprise client has posted the job.', example: false })
  enterprise?: boolean | null;

  @TextListField({
    maxItems: 50,
    max: 100,
    nullable: true,
    description: 'Places in which the client prefers freelancers, each at most 100 characters.',
    example: ['Germany', 'Austria'],
  })
  preferredLocations?: string[] | null;

  @BooleanField({
    nullable: true,
    description: 'Whether only freelancers in preferredLocations may apply.',
    example: false,
  })
  locationRequired?: boolean | null;
}

/**
 * Body of PATCH /v1/jobs/:id, a JSON merge patch: absent fields keep their value, null clears a nullable field. The
 * status active restores a deleted job.
 * @see RFC 7396
 */
export class UpdateJobDto extends PartialType(CreateJobDto, { skipNullProperties: false }) {}

/** A job as the API returns it. */
export class JobDto extends ResponseType(OmitType(CreateJobDto, ['status'])) {
  @ApiId('Id of the job.')
  id: number;

  @ApiProperty({ type: String, enum: JOB_STATUSES, description: 'Status of the job.', example: 'active' })
  status: JobStatus;

  @ApiVersionNumber()
  version: number;

  @ApiInstant({ description: 'When the job was created (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When the job was last changed (UTC).' })
  updatedAt: Date;

  /** Builds the DTO from a job or a row with its fields, without the source key and the tenant. */
  static from(this: void, job: JobDto): JobDto {
    return pickFields(JobDto, job);
  }
}

/** Trims the texts and removes repetitions. */
function listDistinct(skills: readonly unknown[]): unknown[] {
  return [...new Set(skills.map((skill) => (typeof skill === 'string' ? skill.trim() : skill)))];
}
