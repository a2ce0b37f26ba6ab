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

/** @throws AppError `validation.failed` when the lower end of a range is above its upper one */
export function assertRanges(amounts: Amounts): void {
  const errors = RANGES.flatMap(([min, max]): FieldError[] => {
    const [low, high] = [amounts[min], amounts[max]];
    if (!low || !high || hundredths(low) <= hundredths(high)) return [];
    return [{ pointer: `/${min}`, code: 'range', message: `${min} (${low}) must not be above ${max} (${high})` }];
  });
  if (errors.length === 0) return;
  throw new AppError('validation.failed', { detail: errors.map(({ message }) => message).join('; '), errors });
}
