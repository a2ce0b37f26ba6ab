import type { TaskResult, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';

const DAY_MS = 86_400_000;

/** What arrives late is counted for so many days more: a synchronisation brings in yesterday's messages. */
const LATE_DAYS = 2;

/** The past is counted back no further. */
const MAX_DAYS = 400;

/** Each part is a transaction of its own. */
const DAYS_AT_ONCE = 14;

/** A run begins no more of the past after so long; the next one goes on with it. */
const PAST_MS = 5_000;

/** Writes the figures of each user and day into analytics; days that were missed are made up for. */
export const RECORD_DAILY_METRICS: ScheduledTask = {
  id: 'record-daily-metrics',
  description:
    'Counts what each user did by day (jobs seen, proposals sent, answers, wins, AI cost) into analytics; days that were missed are made up for.',
  cron: '12 */6 * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 3,
  missedRunImpact: 'The series of metrics end early, until a later run makes up for it.',
  runsAtBoot: true,
  run: recordDailyMetrics,
};

/**
 * First what is new since the last run, then the past from there backwards: users of a large installation that begins to
 * count have yesterday's figures at once, and no run takes long. `countedFrom` says how far back the series reach,
 * `historyFrom` how far they will.
 */
async function recordDailyMetrics(context: TaskContext): Promise<TaskResult> {
  const { lastResult: lastFigures } = context;
  const began = performance.now();
  const today = startOfDay(Date.now());
  const historyFrom = today - (MAX_DAYS - 1) * DAY_MS;
  const firstDay = Math.max(newSince(today, dayOf(lastFigures?.lastDay)), historyFrom);
  const counts = new Counts(context);
  for (let from = firstDay; from <= today; from += DAYS_AT_ONCE * DAY_MS)
    await counts.add(from, Math.min(lastOf(from), today));
  let countedFrom = Math.max(countedBackTo(lastFigures) ?? firstDay, historyFrom);
  while (countedFrom > historyFrom && performance.now() - began < PAST_MS) {
    const from = Math.max(countedFrom - DAYS_AT_ONCE * DAY_MS, historyFrom);
    await counts.add(from, countedFrom - DAY_MS);
    countedFrom = from;
  }
  return {
    firstDay: toDate(firstDay),
    lastDay: toDate(today),
    countedFrom: toDate(countedFrom),
    historyFrom: toDate(historyFrom),
    ...counts.figures,
  };
}

/** Counts parts of the series. */
class Counts {
  private counted = 0;
  private written = 0;

  constructor(private readonly context: TaskContext) {}

  get figures(): TaskResult {
    return { counted: this.counted, written: this.written };
  }

  async add(from: number, to: number): Promise<void> {
    const { signal, asWorker } = this.context;
    signal.throwIfAborted();
    const [row] = await asWorker((unit) =>
      unit.query<{ figures: { counted: number; written: number } }>(
        'SELECT app.record_daily_metrics($1, $2) AS figures',
        [toDate(from), toDate(to)],
      ),
    );
    this.counted += row!.figures.counted;
    this.written += row!.figures.written;
  }
}

/** The day the last run ended with was not over then. */
function newSince(today: number, lastDay: number | undefined): number {
  return Math.min(lastDay ?? today, today - (LATE_DAYS - 1) * DAY_MS);
}

/** Runs of before `countedFrom` was kept had counted all there is. */
function countedBackTo(lastFigures: TaskResult | null): number | undefined {
  return dayOf(lastFigures?.countedFrom) ?? (lastFigures && Number.NEGATIVE_INFINITY) ?? undefined;
}

function dayOf(figure: unknown): number | undefined {
  return typeof figure === 'string' ? Date.parse(figure) : undefined;
}

function lastOf(from: number): number {
  return from + (DAYS_AT_ONCE - 1) * DAY_MS;
}

function startOfDay(instant: number): number {
  return instant - (instant % DAY_MS);
}

function toDate(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** What the task record-daily-metrics counts; a user writes metrics of other names. */
export const COUNTED_METRICS = ['jobs_seen', 'proposals_sent', 'answers', 'wins', 'ai_cost_usd'] as const;

/** Whether the task writes the metric. */
export function isCounted(metric: string): boolean {
  return (COUNTED_METRICS as readonly string[]).includes(metric);
}

/** How answers write a value: numeric(15,2). */
export const METRIC_VALUE_PATTERN = '^-?\\d{1,13}\\.\\d{2}$';
