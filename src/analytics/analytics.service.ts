import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import type { JobStatsDto } from './dto/job-stats.dto';

/** The view is a security barrier that shows the tenant's row only, with zeros where there is none. */
const OWN_JOB_STATS = `
  SELECT total_jobs AS "totalJobs", active_jobs AS "activeJobs", favorite_jobs AS "favoriteJobs",
    avg_budget_range AS "avgBudgetRange", last_job_date AS "lastJobDate", refreshed_at AS "refreshedAt"
  FROM own_job_stats`;

/** The signed-in user's numbers. */
@Injectable()
export class AnalyticsService {
  constructor(private readonly database: Database) {}

  /** Returns what the user's jobs came to when user_job_stats was last refreshed; zeros without jobs. One statement. */
  async jobStats(): Promise<JobStatsDto> {
    const [stats] = await this.database.query<JobStatsDto>(OWN_JOB_STATS);
    return stats!;
  }
}
