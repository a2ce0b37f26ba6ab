import { PageQueryDto } from '../platform/http/pagination/page.dto';
import { EnumField, InstantField, TextField } from '../platform/http/validation/fields';
import { MoneyField } from '../platform/http/validation/money-field';
import {
  BooleanParam,
  CountParam,
  EnumListParam,
  NumberParam,
  TextListParam,
} from '../platform/http/validation/query-params';
import {
  EXPERIENCE_LEVELS,
  type ExperienceLevel,
  JOB_SORTS,
  JOB_STATUSES,
  JOB_TYPES,
  type JobSort,
  type JobStatus,
  type JobType,
} from './job-values';

/**
 * Query of GET /v1/jobs. A job must match all filters. A filter of a fact about client or competition finds only jobs
 * with that fact.
 */
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

  @InstantField({ optional: true, description: 'Jobs posted at this time or later.', example: '2026-01-01T00:00:00Z' })
  postedFrom?: Date;

  @InstantField({
    optional: true,
    description: 'Jobs posted at this time or earlier, to the millisecond.',
    example: '2099-12-31T23:59:59Z',
  })
  postedTo?: Date;

  @MoneyField({
    optional: true,
    description: 'Jobs of clients who have spent at least this amount, in any currency.',
    example: '1000.00',
  })
  clientSpentMin?: string;

  @NumberParam({ min: 0, max: 5, description: 'Jobs of clients with at least this rating.', example: 4.5 })
  clientRatingMin?: number;

  @CountParam({ description: 'Jobs of clients with at least this number of hires.', example: 1 })
  clientHiresMin?: number;

  @BooleanParam({
    description: 'True for clients with a verified payment method, false for those without.',
    example: true,
  })
  paymentVerified?: boolean;

  @CountParam({ description: 'Jobs with at most this number of applicants.', example: 20 })
  applicantsMax?: number;

  @BooleanParam({ description: 'True leaves out filled jobs.', example: true })
  excludeFilled?: boolean;

  @EnumField(JOB_SORTS, {
    optional: true,
    default: '-createdAt',
    description: 'Sort order; `-` is descending. Jobs without the value come last in both directions.',
    example: '-createdAt',
  })
  sort: JobSort = '-createdAt';
}
