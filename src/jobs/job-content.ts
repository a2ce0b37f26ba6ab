import type { CreateJobDto } from './jobs.dto';
import type { Job } from './job.entity';
import { AppError, type FieldError } from '../platform/errors/app-error';
import { toHundredths } from '../platform/http/validation/money-field';
import { createHash } from 'node:crypto';

/** The columns that say what a vacancy is; status and favourite say what its tenant thinks of it. */
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

/** What a vacancy is, without what its tenant thinks of it. */
export type JobContent = Pick<Job, (typeof CONTENT_FIELDS)[number]>;

/** Returns the columns a validated body stands for: what it leaves out is null, or the table's default. */
export function contentOf(dto: CreateJobDto): JobContent {
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

/** Amounts of a job, or of a list's filters, of which two make a range. */
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

/** @throws AppError `validation.failed` when the lower end of a range is above its upper one */
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
 * Returns what makes two rows of a tenant the same job: `upwork:<id>`, or without an id `content:<sha-256>` of all
 * columns that say what the job is. Jobs carry the key of what they now are, so it is made anew when they change.
 */
export function sourceKeyOf(content: JobContent): string {
  if (content.upworkJobId !== null) return `upwork:${content.upworkJobId}`;
  const columns = JSON.stringify(CONTENT_FIELDS.map((field) => canonical(content[field])));
  return `content:${createHash('sha256').update(columns).digest('hex')}`;
}

/** Equal JSON has one spelling: jsonb does not keep the order of keys. */
function canonical(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(canonical);
  const entries = Object.entries(value).map(([key, inner]) => [key, canonical(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
