import { ApiProperty, OmitType, PartialType } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { ApiId, ApiInstant, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import { PageQueryDto } from '../platform/http/pagination/page.dto';
import { BooleanField, EnumField, InstantField } from '../platform/http/validation/fields';
import { JsonObjectField } from '../platform/http/validation/json-object-field';
import { CurrencyField, MoneyField } from '../platform/http/validation/money-field';
import { BooleanParam, EnumListParam, TextListParam } from '../platform/http/validation/query-params';
import { TextField, TextListField } from '../platform/http/validation/text';
import {
  CLIENT_INFO_LIMITS,
  EXPERIENCE_LEVELS,
  type ExperienceLevel,
  JOB_SORTS,
  JOB_STATUSES,
  JOB_TYPES,
  type JobSort,
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
}

/**
 * Body of PATCH /v1/jobs/:id, a JSON merge patch: absent fields keep their value, null clears a nullable field. The
 * status active restores a deleted job.
 * @see RFC 7396
 */
export class UpdateJobDto extends PartialType(CreateJobDto, { skipNullProperties: false }) {}

/** Query of GET /v1/jobs. A job must match all filters. */
export class ListJobsDto extends PageQueryDto {
  @TextField({
    max: 200,
    optional: true,
    description:
      'Words in title, skills and description, without regard to case and accents. `"a phrase"`, `or` and `-without` ' +
      'work. Slashes, dots and hyphens separate words: `node`, `node.js` and `nodejs` find React/Node.js. C, C# and ' +
      'C++ are three words.',
    example: 'postgres -wordpress',
  })
  q?: string;

  @EnumListParam(JOB_STATUSES, {
    description: 'Any of these statuses; the default is all except deleted.',
    example: ['active'],
  })
  status?: JobStatus[];

  @TextField({ max: 100, optional: true, description: 'Exact category.', example: 'Web, Mobile & Software Dev' })
  category?: string;

  @TextField({ max: 100, optional: true, description: 'Exact subcategory.', example: 'Web Development' })
  subcategory?: string;

  @TextField({ max: 100, optional: true, description: 'Exact country of the client.', example: 'Germany' })
  country?: string;

  @EnumListParam(JOB_TYPES, { description: 'Any of these types.', example: ['fixed'] })
  jobType?: JobType[];

  @EnumListParam(EXPERIENCE_LEVELS, { description: 'Any of these levels.', example: ['expert'] })
  experienceLevel?: ExperienceLevel[];

  @TextListParam({
    max: 100,
    description: 'All of these skills, spelled as in the job. Quote a skill with a comma: `"Writing, Translation"`.',
    example: ['PostgreSQL'],
  })
  skills?: string[];

  @TextListParam({
    max: 100,
    description: 'At least one of these skills. Quote a skill with a comma.',
    example: ['PostgreSQL', 'MySQL'],
  })
  anySkills?: string[];

  @MoneyField({
    optional: true,
    description:
      'Jobs whose budget reaches this amount. A missing end has no limit; jobs without a budget do not match.',
    example: '500.00',
  })
  budgetMin?: string;

  @MoneyField({ optional: true, description: 'Jobs whose budget starts at or below this amount.', example: '2000.00' })
  budgetMax?: string;

  @MoneyField({
    optional: true,
    description: 'Jobs whose hourly rate reaches this amount, as for budgetMin.',
    example: '25.00',
  })
  hourlyRateMin?: string;

  @MoneyField({
    optional: true,
    description: 'Jobs whose hourly rate starts at or below this amount, as for budgetMax.',
    example: '60.00',
  })
  hourlyRateMax?: string;

  @BooleanParam({ description: 'True for favourites only, false for all others.', example: true })
  isFavorite?: boolean;

  @InstantField({ optional: true, description: 'Jobs created at this time or later.', example: '2026-01-01T00:00:00Z' })
  createdFrom?: Date;

  @InstantField({
    optional: true,
    description: 'Jobs created at this time or earlier, to the millisecond.',
    example: '2099-12-31T23:59:59Z',
  })
  createdTo?: Date;

  @EnumField(JOB_SORTS, {
    optional: true,
    default: '-createdAt',
    description: 'Sort order; `-` is descending. Jobs without the amount come last in both directions.',
    example: '-createdAt',
  })
  sort: JobSort = '-createdAt';
}

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
