import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { NullableField, OptionalField } from '../../platform/http/fields';
import { CurrencyField, MoneyField } from '../../platform/http/money-field';
import { NullableTextField, TextField } from '../../platform/http/text-field';
import {
  CLIENT_INFO_LIMITS,
  EXPERIENCE_LEVELS,
  JOB_TYPES,
  SETTABLE_JOB_STATUSES,
  type ExperienceLevel,
  type JobType,
  type SettableJobStatus,
} from '../job-values';
import { JOB_FIELDS } from './job-fields';
import { JsonObjectField } from '../../platform/http/json-object-field';
import { SkillsField } from './skills-field';

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
    description: 'Archived jobs stay in the lists; deleted is set by DELETE alone. A new job without one is active.',
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
