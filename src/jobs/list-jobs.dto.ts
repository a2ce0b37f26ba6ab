import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString } from 'class-validator';
import { TextField, TextLength } from '../platform/http/validation/text';
import { BooleanParam, Instant, ListParam, OptionalField } from '../platform/http/validation/fields';
import { MoneyField } from '../platform/http/validation/money-field';
import { PageQueryDto } from '../platform/http/pagination/page.dto';
import {
  EXPERIENCE_LEVELS,
  JOB_SORTS,
  JOB_STATUSES,
  JOB_TYPES,
  type ExperienceLevel,
  type JobSort,
  type JobStatus,
  type JobType,
} from './job-values';

/** Query of GET /v1/jobs. A job must match all filters. */
export class ListJobsDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description:
      'Words in title, skills and description, without regard to case and accents. `"a phrase"`, `or` and `-without` work. ' +
      'Slashes, dots and hyphens separate words: `node`, `node.js` and `nodejs` find React/Node.js. C, C# and C++ are three words.',
    example: 'postgres -wordpress',
  })
  @OptionalField()
  @TextField(200)
  q?: string;

  @ApiPropertyOptional({
    type: [String],
    enum: JOB_STATUSES,
    description: 'Any of these statuses; the default is all except deleted.',
    example: ['active'],
  })
  @ListParam()
  @IsIn(JOB_STATUSES, { each: true })
  status?: JobStatus[];

  @ApiPropertyOptional({ type: String, description: 'Exact category.', example: 'Web, Mobile & Software Dev' })
  @OptionalField()
  @TextField(100)
  category?: string;

  @ApiPropertyOptional({ type: String, description: 'Exact subcategory.', example: 'Web Development' })
  @OptionalField()
  @TextField(100)
  subcategory?: string;

  @ApiPropertyOptional({ type: String, description: 'Exact country of the client.', example: 'Germany' })
  @OptionalField()
  @TextField(100)
  country?: string;

  @ApiPropertyOptional({ type: [String], enum: JOB_TYPES, description: 'Any of these types.', example: ['fixed'] })
  @ListParam()
  @IsIn(JOB_TYPES, { each: true })
  jobType?: JobType[];

  @ApiPropertyOptional({
    type: [String],
    enum: EXPERIENCE_LEVELS,
    description: 'Any of these levels.',
    example: ['expert'],
  })
  @ListParam()
  @IsIn(EXPERIENCE_LEVELS, { each: true })
  experienceLevel?: ExperienceLevel[];

  @ApiPropertyOptional({
    type: [String],
    description: 'All of these skills, spelled as in the job. Quote a skill with a comma: `"Writing, Translation"`.',
    example: ['PostgreSQL'],
  })
  @ListParam()
  @IsString({ each: true })
  @TextLength(1, 100, { each: true })
  skills?: string[];

  @ApiPropertyOptional({
    type: [String],
    description: 'At least one of these skills. Quote a skill with a comma.',
    example: ['PostgreSQL', 'MySQL'],
  })
  @ListParam()
  @IsString({ each: true })
  @TextLength(1, 100, { each: true })
  anySkills?: string[];

  @ApiPropertyOptional({
    type: String,
    description:
      'Jobs whose budget reaches this amount. A missing end has no limit; jobs without a budget do not match.',
    example: '500.00',
  })
  @OptionalField()
  @MoneyField()
  budgetMin?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Jobs whose budget starts at or below this amount.',
    example: '2000.00',
  })
  @OptionalField()
  @MoneyField()
  budgetMax?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Jobs whose hourly rate reaches this amount, as for budgetMin.',
    example: '25.00',
  })
  @OptionalField()
  @MoneyField()
  hourlyRateMin?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Jobs whose hourly rate starts at or below this amount, as for budgetMax.',
    example: '60.00',
  })
  @OptionalField()
  @MoneyField()
  hourlyRateMax?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'True for favourites only, false for all others.', example: true })
  @BooleanParam()
  isFavorite?: boolean;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Jobs created at this time or later.',
    example: '2026-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  createdFrom?: Date;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Jobs created at this time or earlier, to the millisecond.',
    example: '2099-12-31T23:59:59Z',
  })
  @OptionalField()
  @Instant()
  createdTo?: Date;

  @ApiPropertyOptional({
    type: String,
    enum: JOB_SORTS,
    default: '-createdAt',
    description: 'Sort order; `-` is descending. Jobs without the amount come last in both directions.',
    example: '-createdAt',
  })
  @OptionalField()
  @IsIn(JOB_SORTS)
  sort: JobSort = '-createdAt';
}
