import { SET_CONTEXT } from '../../src/platform/database/transaction-settings';

const COLUMNS = `
  id, upwork_job_id AS "upworkJobId", title, description, budget_min AS "budgetMin", budget_max AS "budgetMax",
  hourly_rate_min AS "hourlyRateMin", hourly_rate_max AS "hourlyRateMax", currency, skills, category, subcategory,
  country, client_info AS "clientInfo", job_type AS "jobType", experience_level AS "experienceLevel", duration,
  workload, posted_at AS "postedAt", renewed_at AS "renewedAt", client_spent AS "clientSpent", client_spent_currency
  AS "clientSpentCurrency", client_hires AS "clientHires", client_posted_jobs AS "clientPostedJobs", client_rating AS
  "clientRating", client_reviews AS "clientReviews", client_payment_verified AS "clientPaymentVerified",
  client_member_since AS "clientMemberSince", applicants, freelancers_to_hire AS "freelancersToHire", is_filled AS
  "isFilled", already_applied AS "alreadyApplied", premium, enterprise, preferred_locations AS "preferredLocations",
  location_required AS "locationRequired", status, is_favorite AS "isFavorite", version, created_at AS "createdAt",
  updated_at AS "updatedAt"`;

const buildAuditCall = (action: string, old: string, now: string): string =>
  `audit.record('jobs', n.id, '${action}', ${old}, ${now})`;

/**
 * Hand-written SQL for the same routes: under row security, with each write and its audit row in one statement between
 * BEGIN and COMMIT.
 */
export const BASELINE_STATEMENTS = {
  /** The product's statement: the signed context and the timeout. */
  context: SET_CONTEXT,

  get: `SELECT ${COLUMNS} FROM jobs WHERE id = $1`,

  list: `SELECT ${COLUMNS}, created_at::text AS "sortKey" FROM jobs
    WHERE status = $1 AND skills @> $2 AND (budget_max >= $3 OR (budget_max IS NULL AND budget_min IS NOT NULL))
    ORDER BY created_at DESC, id DESC LIMIT 21`,

  /** $1 is the Upwork id, $2 the skills, then the other fields in the order of `newJob`. */
  create: `WITH n AS (
      INSERT INTO jobs (upwork_job_id, source_key, skills, title, description, budget_min, budget_max, category,
        country, job_type, experience_level)
      VALUES ($1::text, 'upwork:' || $1::text, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *
    ) SELECT ${COLUMNS}, ${buildAuditCall('INSERT', 'NULL', 'to_jsonb(n)')} AS audited FROM n`,

  patch: `WITH o AS (SELECT id AS old_id, title AS old_title FROM jobs WHERE id = $1 FOR UPDATE),
    n AS (UPDATE jobs SET title = $2 FROM o WHERE jobs.id = o.old_id RETURNING jobs.*, old_title)
    SELECT ${COLUMNS},
      ${buildAuditCall('UPDATE', `jsonb_build_object('title', n.old_title)`, `jsonb_build_object('title', n.title)`)}
        AS audited FROM n`,

  stats: `SELECT total_jobs AS "totalJobs", active_jobs AS "activeJobs", favorite_jobs AS "favoriteJobs",
    avg_budget_range AS "avgBudgetRange", last_job_date AS "lastJobDate", refreshed_at AS "refreshedAt"
    FROM tenant_job_stats`,

  search: `SELECT ${COLUMNS}, created_at::text AS "sortKey" FROM jobs
    WHERE search @@ app.search_query($1) AND status <> 'deleted' ORDER BY created_at DESC, id DESC LIMIT 21`,
} as const;
