import { AppError } from '../platform/errors/app-error';
import { type DayRangeDto, type JobStatsDto, OutcomeDto, type SummaryDto } from './analytics.dto';
import type { ListMetricsDto, MetricDto, MetricsDto, MetricSeriesDto, PutMetricDto } from './metrics.dto';
import { Injectable } from '@nestjs/common';
import { pickFields } from '../platform/http/openapi/dto-fields';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import { metricSeries, outcomes, TENANT_JOB_STATS, putMetric, volumes } from './analytics.queries';
import { isCounted } from './record-daily-metrics.task';

const DAY_MS = 86_400_000;

/** Limit of a range, in days. */
const MAX_DAYS = 400;

/** A range of days as YYYY-MM-DD, both included. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the requested range; the default is the `days` days up to today (UTC).
 * @throws AppError `validation.failed` (/from) when `to` is before `from`, or for more than 400 days
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

/** A row of outcomes: of all sent proposals (kind is null) or of one group. */
export interface OutcomeRow
  extends OutcomeDto, Pick<SummaryDto, 'medianInterviewSeconds' | 'medianOfferSeconds' | 'medianWinSeconds'> {
  readonly kind: 'category' | 'band' | 'weekday' | 'template' | null;
}

/** Other counts of the same range. */
export interface Volumes {
  readonly jobsSeen: number;
  readonly proposalsDrafted: number;
  /** USD with 12 decimals. */
  readonly aiCostUsd: string;
}

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

const NONE: Omit<OutcomeDto, 'key'> = {
  ...{ sent: 0, answered: 0, interviews: 0, offers: 0, won: 0 },
  ...{ winRate: null, medianAnswerSeconds: null },
};

/** Builds the summary of a range. */
export function summaryOf(
  range: DayRange,
  rows: readonly OutcomeRow[],
  { jobsSeen, proposalsDrafted, aiCostUsd }: Volumes,
): SummaryDto {
  const total = rows.find(({ kind }) => kind === null);
  const all = total ?? NONE;
  const of = (wanted: OutcomeRow['kind']): OutcomeDto[] =>
    rows.filter(({ kind }) => kind === wanted).map((row) => pickFields(OutcomeDto, row));
  const weekdays = of('weekday');
  return {
    ...range,
    funnel: { jobsSeen, proposalsDrafted, proposalsSent: all.sent, ...pickStages(all) },
    winRate: all.winRate,
    answerRate: all.sent === 0 ? null : Math.round((10_000 * all.answered) / all.sent) / 10_000,
    medianAnswerSeconds: all.medianAnswerSeconds,
    medianInterviewSeconds: total?.medianInterviewSeconds ?? null,
    medianOfferSeconds: total?.medianOfferSeconds ?? null,
    medianWinSeconds: total?.medianWinSeconds ?? null,
    aiCostUsd,
    costPerWinUsd: all.won === 0 ? null : divide(aiCostUsd, all.won),
    byCategory: of('category'),
    byBudgetBand: of('band'),
    byWeekday: WEEKDAYS.map((key, index) => ({
      ...(weekdays.find((day) => day.key === String(index + 1)) ?? NONE),
      key,
    })),
    byTemplate: of('template'),
  };
}

function pickStages({ answered, interviews, offers, won }: Omit<OutcomeDto, 'key'>) {
  return { answered, interviews, offers, won };
}

/** Divides a cost exactly and truncates it after the 12th decimal. */
function divide(amount: string, count: number): string {
  const digits = (BigInt(amount.replace('.', '')) / BigInt(count)).toString().padStart(13, '0');
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`;
}

const SERIES_DAYS = 30;
const SUMMARY_DAYS = 365;

/** The signed-in user's statistics. */
@Injectable()
export class AnalyticsService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
  ) {}

  /** Returns the user's row of user_job_stats at its last refresh; zeros without jobs. One statement. */
  jobStats(): Promise<JobStatsDto> {
    return this.cache.readStatistics('job-stats', async () => {
      const [stats] = await this.database.query<JobStatsDto>(TENANT_JOB_STATS);
      return stats!;
    });
  }

  /**
   * Returns metrics day by day without gaps, by default of the last 30 days (UTC). One statement.
   * @throws AppError `validation.failed` when `to` is before `from`, or for more than 400 days
   */
  async metrics({ metric, ...days }: ListMetricsDto): Promise<MetricsDto> {
    const range = dayRange(days, SERIES_DAYS);
    const items = await this.database.query<MetricSeriesDto>(...metricSeries(metric ?? null, range.from, range.to));
    return { ...range, items };
  }

  /**
   * Stores the value of a metric for one day and replaces an earlier one. One statement; at most one audit row.
   * @throws AppError `validation.failed` (/metric) for a metric that the task counts
   */
  async putMetric({ metric, date, value = null, data = null }: PutMetricDto): Promise<MetricDto> {
    if (isCounted(metric)) {
      const message = `${metric} is counted for you; choose another name`;
      throw new AppError('validation.failed', {
        detail: message,
        errors: [{ pointer: '/metric', code: 'reserved', message }],
      });
    }
    const [row] = await this.database.query<MetricDto>(...putMetric(metric, date, value, data));
    return row!;
  }

  /**
   * Returns the current outcomes of the proposals sent in a range of days, by default the last 365 (UTC). One
   * transaction of two statements.
   * @throws AppError `validation.failed` when `to` is before `from`, or for more than 400 days
   */
  async summary(days: DayRangeDto): Promise<SummaryDto> {
    const range = dayRange(days, SUMMARY_DAYS);
    return this.cache.read('summary', `${range.from}:${range.to}`, async () => {
      const [rows, [counts]] = await this.database.transaction((unit) =>
        Promise.all([
          unit.query<OutcomeRow>(...outcomes(range.from, range.to)),
          unit.query<Volumes>(...volumes(range.from, range.to)),
        ]),
      );
      return summaryOf(range, rows, counts!);
    });
  }
}
