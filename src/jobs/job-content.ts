import { createHash } from 'node:crypto';
import { OmitType } from '@nestjs/swagger';
import { AppError, type FieldError } from '../platform/errors/app-error';
import { listFields } from '../platform/http/openapi/dto-fields';
import { sortKeys } from '../platform/http/validation/strict-json';
import { toHundredths } from '../platform/http/validation/money';
import { CreateJobDto } from './jobs.dto';
import type { Job } from './job.entity';

/** Fields from the source of a job: all except the user's status and favourite. */
export const CONTENT_FIELDS = listFields(OmitType(CreateJobDto, ['status', 'isFavorite']));

/** The content of a job, without the user's status and favourite. */
export type JobContent = Pick<Job, (typeof CONTENT_FIELDS)[number]>;

/** Title of a job whose content expired; `app.expire_fetched_jobs` stores it. */
export const EXPIRED_TITLE = 'A vacancy no longer kept';

/** Values of absent fields. The others are null. */
const DEFAULTS: Partial<JobContent> = { currency: 'USD', skills: [] };

/** Returns the content of a validated body. Absent fields are null, or the table's default. */
export function toJobContent(dto: CreateJobDto): JobContent {
  const content: Partial<Record<keyof JobContent, unknown>> = {};
  for (const field of CONTENT_FIELDS) content[field] = dto[field] ?? DEFAULTS[field] ?? null;
  return content as JobContent;
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

/** Number of fields in each key. A later field counts only with a value, so that the keys of stored jobs stay. */
const FIELDS_IN_EACH_KEY = 17;

/**
 * Returns the key that identifies a job of a tenant: `upwork:<id>`, or without an id `content:<sha-256>` of all content
 * columns. The key follows the current content, so each change computes it again.
 */
export function buildSourceKey(content: JobContent): string {
  if (content.upworkJobId !== null) return `upwork:${content.upworkJobId}`;
  const values = CONTENT_FIELDS.map((field) => toKeyValue(content[field]));
  while (values.length > FIELDS_IN_EACH_KEY && values.at(-1) === null) values.pop();
  return `content:${createHash('sha256').update(JSON.stringify(values)).digest('hex')}`;
}

function toKeyValue(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : sortKeys(value);
}
