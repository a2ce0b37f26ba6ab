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

/** Query of GET /v1/jobs: filters narrow the list together. */
export class ListJobsDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description:
      'Words to find in title, skills and description; without accents or case. `"a phrase"`, `or` and `-without` work. ' +
      'Slashes, dots and hyphens part words: `node`, `node.js` and `nodejs` find React/Node.js. C, C# and C++ are three words.',
    example: 'postgres -wordpress',
  })
  @OptionalField()
  @TextField(200)
  q?: string;

  @ApiPropertyOptional({
    type: [String],
    enum: JOB_STATUSES,
    description: 'Any of these; without it all but the deleted.',
    example: ['active'],
  })
  @ListParam()
  @IsIn(JOB_STATUSES, { each: true })
  status?: JobStatus[];

  @ApiPropertyOptional({ type: String, description: 'Exactly this category.', example: 'Web, Mobile & Software Dev' })
  @OptionalField()
  @TextField(100)
  category?: string;

  @ApiPropertyOptional({ type: String, description: 'Exactly this subcategory.', example: 'Web Development' })
  @OptionalField()
  @TextField(100)
  subcategory?: string;

  @ApiPropertyOptional({ type: String, description: 'Exactly this country.', example: 'Germany' })
  @OptionalField()
  @TextField(100)
  country?: string;

  @ApiPropertyOptional({ type: [String], enum: JOB_TYPES, description: 'Any of these.', example: ['fixed'] })
  @ListParam()
  @IsIn(JOB_TYPES, { each: true })
  jobType?: JobType[];

  @ApiPropertyOptional({ type: [String], enum: EXPERIENCE_LEVELS, description: 'Any of these.', example: ['expert'] })
  @ListParam()
  @IsIn(EXPERIENCE_LEVELS, { each: true })
  experienceLevel?: ExperienceLevel[];

  @ApiPropertyOptional({
    type: [String],
    description: 'All of these skills, spelt as in the job. Quote a skill that has a comma: `"Writing, Translation"`.',
    example: ['PostgreSQL'],
  })
  @ListParam()
  @IsString({ each: true })
  @TextLength(1, 100, { each: true })
  skills?: string[];

  @ApiPropertyOptional({
    type: [String],
    description: 'At least one of these skills; quote one that has a comma.',
    example: ['PostgreSQL', 'MySQL'],
  })
  @ListParam()
  @IsString({ each: true })
  @TextLength(1, 100, { each: true })
  anySkills?: string[];

  @ApiPropertyOptional({
    type: String,
    description:
      'Jobs whose budget reaches this amount; a job without budget is none of them, an end left open has no limit.',
    example: '500.00',
  })
  @OptionalField()
  @MoneyField()
  budgetMin?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Jobs whose budget begins at or below this amount.',
    example: '2000.00',
  })
  @OptionalField()
  @MoneyField()
  budgetMax?: string;

  @ApiPropertyOptional({ type: String, description: 'As budgetMin, for the hourly rate.', example: '25.00' })
  @OptionalField()
  @MoneyField()
  hourlyRateMin?: string;

  @ApiPropertyOptional({ type: String, description: 'As budgetMax, for the hourly rate.', example: '60.00' })
  @OptionalField()
  @MoneyField()
  hourlyRateMax?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Only favourites, or only others.', example: true })
  @BooleanParam()
  isFavorite?: boolean;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Jobs that came in at this instant or later.',
    example: '2026-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  createdFrom?: Date;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Jobs that came in at this instant or earlier, to the millisecond.',
    example: '2099-12-31T23:59:59Z',
  })
  @OptionalField()
  @Instant()
  createdTo?: Date;

  @ApiPropertyOptional({
    type: String,
    enum: JOB_SORTS,
    default: '-createdAt',
    description: 'Order of the list; `-` is descending. Jobs without the amount come last either way.',
    example: '-createdAt',
  })
  @OptionalField()
  @IsIn(JOB_SORTS)
  sort: JobSort = '-createdAt';
}
