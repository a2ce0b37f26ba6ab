import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsString } from 'class-validator';
import { NullableTextField, TextField, TextLength } from '../platform/http/validation/text';
import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { NullableField, OptionalField } from '../platform/http/validation/fields';
import { ApiAmount, CurrencyField, MoneyField } from '../platform/http/validation/money-field';
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
import { JOB_FIELDS } from './job-fields';
import { JsonObjectField } from '../platform/http/validation/json-object-field';
import type { Job } from './job.entity';

const MAX_SKILLS = 50;
const MAX_SKILL_LENGTH = 100;

/** Validates a list of skills, trims them and removes repetitions. */
export function SkillsField(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: TransformFnParams): unknown => (Array.isArray(value) ? distinct(value) : value)),
    IsArray(),
    ArrayMaxSize(MAX_SKILLS),
    IsString({ each: true }),
    TextLength(1, MAX_SKILL_LENGTH, { each: true }),
  );
}

function distinct(skills: readonly unknown[]): unknown[] {
  return [...new Set(skills.map((skill) => (typeof skill === 'string' ? skill.trim() : skill)))];
}

/** Body of POST /v1/jobs, and a row of an import. */
export class CreateJobDto {
  @ApiPropertyOptional(JOB_FIELDS.upworkJobId)
  @NullableTextField(100)
  upworkJobId?: string | null;

  @ApiProperty(JOB_FIELDS.title)
  @TextField(500)
  title: string;

  @ApiPropertyOptional(JOB_FIELDS.description)
  @NullableTextField(50_000)
  description?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.budgetMin)
  @NullableField()
  @MoneyField()
  budgetMin?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.budgetMax)
  @NullableField()
  @MoneyField()
  budgetMax?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.hourlyRateMin)
  @NullableField()
  @MoneyField()
  hourlyRateMin?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.hourlyRateMax)
  @NullableField()
  @MoneyField()
  hourlyRateMax?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.currency)
  @OptionalField()
  @CurrencyField()
  currency?: string;

  @ApiPropertyOptional(JOB_FIELDS.skills)
  @OptionalField()
  @SkillsField()
  skills?: string[];

  @ApiPropertyOptional(JOB_FIELDS.category)
  @NullableTextField(100)
  category?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.subcategory)
  @NullableTextField(100)
  subcategory?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.country)
  @NullableTextField(100)
  country?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.clientInfo)
  @NullableField()
  @JsonObjectField(...CLIENT_INFO_LIMITS)
  clientInfo?: Record<string, unknown> | null;

  @ApiPropertyOptional(JOB_FIELDS.jobType)
  @NullableField()
  @IsIn(JOB_TYPES)
  jobType?: JobType | null;

  @ApiPropertyOptional(JOB_FIELDS.experienceLevel)
  @NullableField()
  @IsIn(EXPERIENCE_LEVELS)
  experienceLevel?: ExperienceLevel | null;

  @ApiPropertyOptional(JOB_FIELDS.duration)
  @NullableTextField(100)
  duration?: string | null;

  @ApiPropertyOptional(JOB_FIELDS.workload)
  @NullableTextField(100)
  workload?: string | null;

  @ApiPropertyOptional({
    type: String,
    enum: SETTABLE_JOB_STATUSES,
    description:
      'Status of the job. Lists include archived jobs; only DELETE sets deleted. The default for a new job is active.',
    example: 'active',
  })
  @OptionalField()
  @IsIn(SETTABLE_JOB_STATUSES)
  status?: SettableJobStatus;

  @ApiPropertyOptional(JOB_FIELDS.isFavorite)
  @OptionalField()
  @IsBoolean()
  isFavorite?: boolean;
}

/**
 * Body of PATCH /v1/jobs/:id, a JSON merge patch: absent fields keep their value, null clears a nullable field. The
 * status active restores a deleted job.
 * @see RFC 7396
 */
export class UpdateJobDto extends PartialType(CreateJobDto, { skipNullProperties: false }) {}

/** A job as the API returns it. */
export class JobDto {
  @ApiProperty({ type: 'integer', description: 'Id of the job.', example: 4711 })
  id: number;

  @ApiProperty(JOB_FIELDS.upworkJobId)
  upworkJobId: string | null;

  @ApiProperty(JOB_FIELDS.title)
  title: string;

  @ApiProperty(JOB_FIELDS.description)
  description: string | null;

  @ApiAmount(JOB_FIELDS.budgetMin)
  budgetMin: string | null;

  @ApiAmount(JOB_FIELDS.budgetMax)
  budgetMax: string | null;

  @ApiAmount(JOB_FIELDS.hourlyRateMin)
  hourlyRateMin: string | null;

  @ApiAmount(JOB_FIELDS.hourlyRateMax)
  hourlyRateMax: string | null;

  @ApiProperty(JOB_FIELDS.currency)
  currency: string;

  @ApiProperty(JOB_FIELDS.skills)
  skills: string[];

  @ApiProperty(JOB_FIELDS.category)
  category: string | null;

  @ApiProperty(JOB_FIELDS.subcategory)
  subcategory: string | null;

  @ApiProperty(JOB_FIELDS.country)
  country: string | null;

  @ApiProperty(JOB_FIELDS.clientInfo)
  clientInfo: Record<string, unknown> | null;

  @ApiProperty(JOB_FIELDS.jobType)
  jobType: JobType | null;

  @ApiProperty(JOB_FIELDS.experienceLevel)
  experienceLevel: ExperienceLevel | null;

  @ApiProperty(JOB_FIELDS.duration)
  duration: string | null;

  @ApiProperty(JOB_FIELDS.workload)
  workload: string | null;

  @ApiProperty({ type: String, enum: JOB_STATUSES, description: 'Status of the job.', example: 'active' })
  status: JobStatus;

  @ApiProperty(JOB_FIELDS.isFavorite)
  isFavorite: boolean;

  @ApiProperty({
    type: 'integer',
    description: 'Version number, one higher after each change. The ETag is this number in quotes.',
    example: 1,
  })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the job was created (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the job was last changed (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Builds the DTO from a job or a row with its fields, without the source key and the tenant. */
  static from(job: Omit<Job, 'sourceKey' | 'userId'>): JobDto {
    return {
      id: job.id,
      upworkJobId: job.upworkJobId,
      title: job.title,
      description: job.description,
      budgetMin: job.budgetMin,
      budgetMax: job.budgetMax,
      hourlyRateMin: job.hourlyRateMin,
      hourlyRateMax: job.hourlyRateMax,
      currency: job.currency,
      skills: job.skills,
      category: job.category,
      subcategory: job.subcategory,
      country: job.country,
      clientInfo: job.clientInfo,
      jobType: job.jobType,
      experienceLevel: job.experienceLevel,
      duration: job.duration,
      workload: job.workload,
      status: job.status,
      isFavorite: job.isFavorite,
      version: job.version,
      createdAt: job.createdAt,
      updatedAt: job.updatedAt,
    };
  }
}
