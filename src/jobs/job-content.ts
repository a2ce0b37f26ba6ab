import type { CreateJobDto } from './jobs.dto';
import type { Job } from './job.entity';
import { AppError, type FieldError } from '../platform/errors/app-error';
import { toHundredths } from '../platform/http/validation/money-field';
import { createHash } from 'node:crypto';

/** Columns from the source of a job, without the user's status and favourite. */
export const CONTENT_FIELDS = [
  'upworkJobId',
  'title',
  'description',
  'budgetMin',
  'budgetMax',
  'hourlyRateMin',
  'hourlyRateMax',
  'currency',
  'skills',
  'category',
  'subcategory',
  'country',
  'clientInfo',
  'jobType',
  'experienceLevel',
  'duration',
  'workload',
] as const satisfies readonly (keyof Job)[];

/** The content of a job, without the user's status and favourite. */
export type JobContent = Pick<Job, (typeof CONTENT_FIELDS)[number]>;

/** Returns the columns of a validated body. Absent fields are null, or the table's default. */
export function toJobContent(dto: CreateJobDto): JobContent {
  return {
    upworkJobId: dto.upworkJobId ?? null,
    title: dto.title,
    description: dto.description ?? null,
    budgetMin: dto.budgetMin ?? null,
    budgetMax: dto.budgetMax ?? null,
    hourlyRateMin: dto.hourlyRateMin ?? null,
    hourlyRateMax: dto.hourlyRateMax ?? null,
    currency: dto.currency ?? 'USD',
    skills: dto.skills ?? [],
    category: dto.category ?? null,
    subcategory: dto.subcategory ?? null,
    country: dto.country ?? null,
    clientInfo: dto.clientInfo ?? null,
    jobType: dto.jobType ?? null,
    experienceLevel: dto.experienceLevel ?? null,
    duration: dto.duration ?? null,
    workload: dto.workload ?? null,
  };
}

/** Amounts of a job or of a list's filters, in pairs of minimum and maximum. */
interface Amounts {
  readonly budgetMin?: string | null;
  readonly budgetMax?: string | null;
  readonly hourlyRateMin?: string | null;
  readonly hourlyRateMax?: string | null;
}

const RANGES = [
  ['budgetMin', 'budgetMax'],
  ['hourlyRateMin', 'hourlyRateMax'],
] as const;

/** Checks the ranges. @throws AppError `validation.failed` when a minimum is above its maximum */
export function assertRanges(amounts: Amounts): void {
  const errors = RANGES.flatMap(([min, max]): FieldError[] => {
    const [low, high] = [amounts[min], amounts[max]];
    if (!low || !high || toHundredths(low) <= toHundredths(high)) return [];
    return [{ pointer: `/${min}`, code: 'range', message: `${min} (${low}) must not be above ${max} (${high})` }];
  });
  if (errors.length === 0) return;
  throw new AppError('validation.failed', { detail: errors.map(({ message }) => message).join('; '), errors });
}

/**
 * Returns the key that identifies a job of a tenant: `upwork:<id>`, or without an id `content:<sha-256>` of all content
 * columns. The key follows the current content, so each change computes it again.
 */
export function buildSourceKey(content: JobContent): string {
  if (content.upworkJobId !== null) return `upwork:${content.upworkJobId}`;
  const columns = JSON.stringify(CONTENT_FIELDS.map((field) => sortKeys(content[field])));
  return `content:${createHash('sha256').update(columns).digest('hex')}`;
}

/** Sorts object keys, because jsonb does not keep their order. */
function sortKeys(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const entries = Object.entries(value).map(([key, inner]) => [key, sortKeys(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
