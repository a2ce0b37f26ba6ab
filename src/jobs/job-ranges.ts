import { AppError, type FieldError } from '../platform/errors/app-error';
import { hundredths } from '../platform/http/money-field';

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

/** Returns an error for each range whose lower end is above its upper one. */
export function rangeErrors(amounts: Amounts): FieldError[] {
  return RANGES.flatMap(([min, max]) => {
    const [low, high] = [amounts[min], amounts[max]];
    if (!low || !high || hundredths(low) <= hundredths(high)) return [];
    return [{ pointer: `/${min}`, code: 'range', message: `${min} (${low}) must not be above ${max} (${high})` }];
  });
}

/** @throws AppError `validation.failed` when a range is turned round */
export function assertRanges(amounts: Amounts): void {
  const errors = rangeErrors(amounts);
  if (errors.length === 0) return;
  throw new AppError('validation.failed', { detail: errors.map(({ message }) => message).join('; '), errors });
}
