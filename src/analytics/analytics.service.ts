import { Injectable } from '@nestjs/common';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { metricSeries, outcomes, OWN_JOB_STATS, putMetric, volumes } from './analytics.queries';
import { dayRange } from './day-range';
import type { DayRangeDto } from './dto/day-range.dto';
import type { JobStatsDto } from './dto/job-stats.dto';
import type { ListMetricsDto } from './dto/list-metrics.dto';
import type { MetricDto } from './dto/metric.dto';
import type { MetricSeriesDto } from './dto/metric-series.dto';
import type { MetricsDto } from './dto/metrics.dto';
import type { PutMetricDto } from './dto/put-metric.dto';
import type { SummaryDto } from './dto/summary.dto';
import { isCounted } from './metric-names';
import { summaryOf, type OutcomeRow, type Volumes } from './summary';

const SERIES_DAYS = 30;
const SUMMARY_DAYS = 365;

/** The signed-in user's numbers. */
@Injectable()
export class AnalyticsService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
  ) {}

  /** Returns what the user's jobs came to when user_job_stats was last refreshed; zeros without jobs. One statement. */
  jobStats(): Promise<JobStatsDto> {
    return this.cache.readStatistics('job-stats', async () => {
      const [stats] = await this.database.query<JobStatsDto>(OWN_JOB_STATS);
      return stats!;
    });
  }

  /**
   * Returns metrics day by day without gaps, by default of the last 30 days (UTC). One statement.
   * @throws AppError `validation.failed` for days turned round or more than 400
   */
  async metrics({ metric, ...days }: ListMetricsDto): Promise<MetricsDto> {
    const range = dayRange(days, SERIES_DAYS);
    const items = await this.database.query<MetricSeriesDto>(...metricSeries(metric ?? null, range.from, range.to));
    return { ...range, items };
  }

  /**
   * Writes a metric of the user's own for one day, over what stood there. One statement; one audit row, none when nothing
   * changes.
   * @throws AppError `validation.failed` (/metric) for one that is counted
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
   * Returns what became of the proposals sent in a range of days, by default the last 365 (UTC), as of now. One unit of
   * two statements.
   * @throws AppError `validation.failed` for days turned round or more than 400
   */
  async summary(days: DayRangeDto): Promise<SummaryDto> {
    const range = dayRange(days, SUMMARY_DAYS);
    return this.cache.read('summary', `${range.from}:${range.to}`, async () => {
      const [rows, [counts]] = await this.database.unit((unit) =>
        Promise.all([
          unit.query<OutcomeRow>(...outcomes(range.from, range.to)),
          unit.query<Volumes>(...volumes(range.from, range.to)),
        ]),
      );
      return summaryOf(range, rows, counts!);
    });
  }
}
