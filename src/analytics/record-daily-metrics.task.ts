import type { Figures, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';

const DAY_MS = 86_400_000;

/** What arrives late is counted for so many days more: a synchronisation brings in yesterday's messages. */
const LATE_DAYS = 2;

/** The first run, or one after a long rest, goes back no further. */
const MAX_DAYS = 400;

/** Each part is a transaction of its own. */
const DAYS_AT_ONCE = 31;

/** Writes the figures of each user and day into analytics; days that were missed are made up for. */
export const RECORD_DAILY_METRICS: ScheduledTask = {
  id: 'record-daily-metrics',
  description: 'Counts what each user did by day (jobs seen, proposals sent, answers, wins, AI cost) into analytics; days that were missed are made up for.',
  cron: '12 */6 * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 3,
  whatAMissMeans: 'The series of metrics end early, until a later run makes up for it.',
  soonAfterBoot: true,
  run: recordDailyMetrics,
};

async function recordDailyMetrics({ lastFigures, signal, asWorker }: TaskContext): Promise<Figures> {
  const today = startOfDay(Date.now());
  const first = Math.max(firstDay(today, lastFigures?.lastDay), today - (MAX_DAYS - 1) * DAY_MS);
  let counted = 0;
  let written = 0;
  for (let from = first; from <= today; from += DAYS_AT_ONCE * DAY_MS) {
    signal.throwIfAborted();
    const to = Math.min(from + (DAYS_AT_ONCE - 1) * DAY_MS, today);
    const [row] = await asWorker((unit) =>
      unit.query<{ figures: { counted: number; written: number } }>('SELECT app.record_daily_metrics($1, $2) AS figures', [toDate(from), toDate(to)]),
    );
    counted += row!.figures.counted;
    written += row!.figures.written;
  }
  return { firstDay: toDate(first), lastDay: toDate(today), counted, written };
}

/** The day the last run ended with was not over then. */
function firstDay(today: number, lastDay: unknown): number {
  const last = typeof lastDay === 'string' ? Date.parse(lastDay) : Number.NEGATIVE_INFINITY;
  return Math.min(last, today - (LATE_DAYS - 1) * DAY_MS);
}

function startOfDay(instant: number): number {
  return instant - (instant % DAY_MS);
}

function toDate(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}
