import type { CheckedRow } from './checked-row';

/** A row as the statement that stores it reads it: under the names of the columns. */
export type JobRecord = Readonly<Record<string, unknown>>;

/** Returns the row under the names of the columns. */
export function recordOf({ sourceKey, content, status, isFavorite }: CheckedRow): JobRecord {
  return {
    source_key: sourceKey,
    upwork_job_id: content.upworkJobId,
    title: content.title,
    description: content.description,
    budget_min: content.budgetMin,
    budget_max: content.budgetMax,
    hourly_rate_min: content.hourlyRateMin,
    hourly_rate_max: content.hourlyRateMax,
    currency: content.currency,
    skills: content.skills,
    category: content.category,
    subcategory: content.subcategory,
    country: content.country,
    client_info: content.clientInfo,
    job_type: content.jobType,
    experience_level: content.experienceLevel,
    duration: content.duration,
    workload: content.workload,
    status,
    is_favorite: isFavorite,
  };
}
