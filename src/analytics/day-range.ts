import { AppError } from '../platform/errors/app-error';

const DAY_MS = 86_400_000;

/** The longest range that is answered, in days. */
const MAX_DAYS = 400;

/** Days as YYYY-MM-DD, both included. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the days that are asked for: by default up to today (UTC), `days` of them.
 * @throws AppError `validation.failed` (/from) when they end before they begin, or are more than 400
 */
export function dayRange({ from, to }: Partial<DayRange>, days: number, now = Date.now()): DayRange {
  const last = to === undefined ? now - (now % DAY_MS) : Date.parse(to);
  const first = from === undefined ? last - (days - 1) * DAY_MS : Date.parse(from);
  const count = (last - first) / DAY_MS + 1;
  if (count < 1) throw invalid(`from (${from}) must not be after to (${toDay(last)})`);
  if (count > MAX_DAYS)
    throw invalid(`from (${toDay(first)}) and to (${toDay(last)}) must be at most ${MAX_DAYS} days apart`);
  return { from: toDay(first), to: toDay(last) };
}

function toDay(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

function invalid(message: string): AppError {
  return new AppError('validation.failed', { detail: message, errors: [{ pointer: '/from', code: 'range', message }] });
}
