import { COUNTED_METRICS } from './record-daily-metrics.task';

/** A statement and its values. */
type Query = [sql: string, values: unknown[]];

/** Reads the view, a security barrier that shows only the tenant's row, or zeros without one. */
export const TENANT_JOB_STATS = `
  SELECT total_jobs AS "totalJobs", active_jobs AS "activeJobs", favorite_jobs AS "favoriteJobs",
    avg_budget_range AS "avgBudgetRange", last_job_date AS "lastJobDate", refreshed_at AS "refreshedAt"
  FROM tenant_job_stats`;

/** Selects one row per metric and day, with or without a recorded value. */
export function metricSeries(metrics: readonly string[] | null, from: string, to: string): Query {
  return [
    `WITH recorded AS MATERIALIZED (
       SELECT metric_name, date, metric_value, metric_data FROM analytics
       WHERE date BETWEEN $2::date AND $3::date AND ($1::text[] IS NULL OR metric_name = ANY ($1))
     ), names AS (
       SELECT unnest(coalesce($1::text[], $4::text[])) AS name UNION SELECT metric_name FROM recorded
     )
     SELECT n.name AS metric, jsonb_agg(jsonb_build_object(
       'date', d.day, 'isRecorded', r.date IS NOT NULL, 'data', r.metric_data,
       'value', CASE WHEN r.date IS NULL THEN '0.00' ELSE r.metric_value::text END
     ) ORDER BY d.day) AS points
     FROM names n
     CROSS JOIN (SELECT day::date FROM generate_series($2::date, $3::date, interval '1 day') AS day) d
     LEFT JOIN recorded r ON r.metric_name = n.name AND r.date = d.day
     GROUP BY n.name ORDER BY n.name`,
    [metrics, from, to, COUNTED_METRICS],
  ];
}

/** Inserts or replaces the value of a day. */
export function putMetric(metric: string, date: string, value: string | null, data: object | null): Query {
  return [
    `INSERT INTO analytics (metric_name, date, metric_value, metric_data) VALUES ($1, $2, $3, $4)
     ON CONFLICT (user_id, metric_name, date) DO UPDATE
     SET metric_value = excluded.metric_value, metric_data = excluded.metric_data
     RETURNING metric_name AS metric, date, metric_value AS value, metric_data AS data`,
    [metric, date, value, data === null ? null : JSON.stringify(data)],
  ];
}

/** A half-open range, which an index can serve. */
const IN_RANGE = `>= $1::date::timestamp AT TIME ZONE 'UTC'`;
const BEFORE_END = `< ($2::date + 1)::timestamp AT TIME ZONE 'UTC'`;

/** A budget band of one currency; amounts are not converted. */
const BUDGET_BAND = `
  CASE
    WHEN j.job_type = 'hourly' AND j.hourly_rate_max IS NOT NULL THEN 'hourly ' || CASE
      WHEN j.hourly_rate_max < 15 THEN 'under 15' WHEN j.hourly_rate_max < 30 THEN '15 to 30'
      WHEN j.hourly_rate_max < 60 THEN '30 to 60' ELSE '60 and more' END || ' ' || j.currency
    WHEN j.job_type IS DISTINCT FROM 'hourly' AND j.budget_max IS NOT NULL THEN 'fixed ' || CASE
      WHEN j.budget_max < 100 THEN 'under 100' WHEN j.budget_max < 500 THEN '100 to 500'
      WHEN j.budget_max < 1000 THEN '500 to 1000' WHEN j.budget_max < 5000 THEN '1000 to 5000'
      ELSE '5000 and more' END || ' ' || j.currency
  END`;

/**
 * Selects when the proposal `p` reached each stage, by Upwork's words and ours. An interview (`Activated`) and an offer
 * (`Offered`) change only Upwork's word. Corrected rows keep the time of their word in seen_at.
 */
const STAGES = `
  SELECT min(h.at) FILTER (WHERE h.word = 'ACTIVATED') AS interview_at,
    min(h.at) FILTER (WHERE h.word = 'OFFERED' OR h.status = 'accepted') AS offer_at,
    min(h.at) FILTER (WHERE h.status = 'accepted') AS won_at,
    min(h.at) FILTER (WHERE h.word IN ('ACTIVATED', 'OFFERED') OR h.status IN ('accepted', 'rejected')) AS answered_at
  FROM (
    SELECT c.status, upper(c.upwork_status) AS word,
      CASE WHEN c.corrected_from IS NULL THEN c.changed_at ELSE c.seen_at END AS at
    FROM proposal_status_changes c WHERE c.proposal_id = p.id
  ) h`;

/** Selects the median seconds from the submission to a stage; null when no proposal reached it. */
function medianSeconds(stage: string): string {
  return `percentile_cont(0.5)
    WITHIN GROUP (ORDER BY extract(epoch FROM greatest(${stage} - submitted_at, interval '0')))
    FILTER (WHERE ${stage} IS NOT NULL)`;
}

/** Selects the outcomes of the proposals sent in a range, in total (`kind` is null) and by group, in one pass. */
export function outcomes(from: string, to: string): Query {
  return [
    `WITH sent AS MATERIALIZED (
       SELECT p.submitted_at, least(s.answered_at, m.at) AS answered_at, s.interview_at, s.offer_at, s.won_at,
         j.category, ${BUDGET_BAND} AS band,
         extract(isodow FROM p.submitted_at AT TIME ZONE 'UTC')::integer AS weekday, t.name AS template
       FROM proposals p
       JOIN jobs j ON j.id = p.job_id
       CROSS JOIN LATERAL (${STAGES}) s
       LEFT JOIN LATERAL (
         SELECT min(m.created_at) AS at FROM messages m
         WHERE m.job_id = p.job_id AND m.sender_type = 'client' AND m.created_at >= p.submitted_at
       ) m ON true
       LEFT JOIN LATERAL (
         SELECT g.template_id FROM ai_generations g
         WHERE g.job_id = p.job_id AND g.generation_type IN ('proposal', 'cover_letter') AND g.status = 'succeeded'
           AND g.created_at <= p.submitted_at
         ORDER BY g.created_at DESC, g.id DESC LIMIT 1
       ) g ON true
       LEFT JOIN templates t ON t.id = g.template_id
       WHERE p.submitted_at ${IN_RANGE} AND p.submitted_at ${BEFORE_END}
     )
     SELECT CASE WHEN grouping(category) = 0 THEN 'category' WHEN grouping(band) = 0 THEN 'band'
                 WHEN grouping(weekday) = 0 THEN 'weekday' WHEN grouping(template) = 0 THEN 'template' END AS kind,
       coalesce(category, band, weekday::text, template) AS key,
       count(*)::integer AS sent, count(answered_at)::integer AS answered, count(interview_at)::integer AS interviews,
       count(offer_at)::integer AS offers, count(won_at)::integer AS won,
       round(count(won_at)::numeric / nullif(count(*), 0), 4)::float8 AS "winRate",
       ${medianSeconds('answered_at')} AS "medianAnswerSeconds",
       ${medianSeconds('interview_at')} AS "medianInterviewSeconds",
       ${medianSeconds('offer_at')} AS "medianOfferSeconds",
       ${medianSeconds('won_at')} AS "medianWinSeconds"
     FROM sent
     GROUP BY GROUPING SETS ((), (category), (band), (weekday), (template))
     ORDER BY count(*) DESC, key`,
    [from, to],
  ];
}

/** Selects the other counts of a range, each in a sub-select, so that no join multiplies rows. */
export function volumes(from: string, to: string): Query {
  return [
    `SELECT
       (SELECT count(*) FROM jobs WHERE created_at ${IN_RANGE} AND created_at ${BEFORE_END})::integer AS "jobsSeen",
       (SELECT count(*) FROM proposals
        WHERE created_at ${IN_RANGE} AND created_at ${BEFORE_END})::integer AS "proposalsDrafted",
       (SELECT coalesce(sum(cost), 0)::numeric(24,12) FROM ai_calls
        WHERE created_at ${IN_RANGE} AND created_at ${BEFORE_END}) AS "aiCostUsd"`,
    [from, to],
  ];
}
