import type { TaskResult, ScheduledTask, TaskContext } from '../platform/scheduler/scheduled-task';

const DAY_MS = 86_400_000;

/** Days that every run counts again. */
const LATE_DAYS = 2;

/** Limit of the history that is counted. */
const MAX_DAYS = 400;

/** Days per transaction. */
const DAYS_AT_ONCE = 14;

/** Time after which a run counts no more history; the next one continues there. */
const PAST_MS = 5_000;

/** Counts metrics of each user and day into analytics, including missed days. */
export const RECORD_DAILY_METRICS: ScheduledTask = {
  id: 'record-daily-metrics',
  description:
    'Counts what each user did by day (jobs seen, proposals sent, answers, interviews, offers, wins, AI cost) into ' +
    'analytics, including missed days.',
  cron: '12 */6 * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 3,
  missedRunImpact: 'The metrics of recent days are missing until a later run counts them.',
  runsAtBoot: true,
  run: recordDailyMetrics,
};

/**
 * Counts the days since the last run first, then the history backwards, from the start again once it is counted: a
 * synchronisation stores proposals, messages and decisions of any day. So a large installation has yesterday's metrics
 * at once, and no run takes long. `countedFrom` is the first day that this pass has counted, `historyFrom` its last.
 */
async function recordDailyMetrics(context: TaskContext): Promise<TaskResult> {
  const { lastResult: lastFigures } = context;
  const began = performance.now();
  const today = startOfDay(Date.now());
  const historyFrom = today - (MAX_DAYS - 1) * DAY_MS;
  const firstDay = Math.max(findFirstDay(today, parseDay(lastFigures?.lastDay)), historyFrom);
  const counts = new Counts(context);
  for (let from = firstDay; from <= today; from += DAYS_AT_ONCE * DAY_MS)
    await counts.add(from, Math.min(getLastDay(from), today));
  let countedFrom = findUnfinishedPass(lastFigures, historyFrom) ?? firstDay;
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

/** Counts ranges of days. */
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

/** Returns the first day to count. The last day of the previous run was not over, so it is counted again. */
function findFirstDay(today: number, lastDay: number | undefined): number {
  return Math.min(lastDay ?? today, today - (LATE_DAYS - 1) * DAY_MS);
}

/** Returns the first counted day of a pass that has not reached the end of the history. */
function findUnfinishedPass(lastFigures: TaskResult | null, historyFrom: number): number | undefined {
  const countedFrom = parseDay(lastFigures?.countedFrom);
  return countedFrom !== undefined && countedFrom > historyFrom ? countedFrom : undefined;
}

function parseDay(figure: unknown): number | undefined {
  return typeof figure === 'string' ? Date.parse(figure) : undefined;
}

function getLastDay(from: number): number {
  return from + (DAYS_AT_ONCE - 1) * DAY_MS;
}

function startOfDay(instant: number): number {
  return instant - (instant % DAY_MS);
}

function toDate(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** Metrics of the task record-daily-metrics. Users write metrics with other names. */
export const COUNTED_METRICS = [
  'jobs_seen',
  'proposals_sent',
  'answers',
  'interviews',
  'offers',
  'wins',
  'ai_cost_usd',
] as const;

/** Returns true for a metric of the task. */
export function isCounted(metric: string): boolean {
  return (COUNTED_METRICS as readonly string[]).includes(metric);
}

/** The format of values in responses: numeric(15,2). */
export const METRIC_VALUE_PATTERN = '^-?\\d{1,13}\\.\\d{2}$';
