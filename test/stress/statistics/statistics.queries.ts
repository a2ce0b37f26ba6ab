/** Counts users, and those without jobs, who have no row in the view. */
export const STATS_OF_ALL = `
  SELECT count(*)::integer AS users, count(*) FILTER (WHERE s.user_id IS NULL)::integer AS "withoutJobs"
  FROM users u LEFT JOIN user_job_stats s ON s.user_id = u.id`;

/** Finds users whose row of the view differs from a query of jobs, or who have too many rows. */
export const STATS_MISCOUNTED = `
  SELECT count(*)::integer FROM user_job_stats s
  FULL JOIN (
    SELECT user_id, count(*) AS total, sum((status = 'active')::integer) AS active,
      sum(is_favorite::integer) AS favorite, sum(budget_max - budget_min) / count(budget_max - budget_min) AS budget,
      max(created_at) AS last
    FROM jobs GROUP BY user_id
  ) j USING (user_id)
  WHERE (s.total_jobs, s.active_jobs, s.favorite_jobs, round(s.avg_budget_range, 6), s.last_job_date)
    IS DISTINCT FROM (j.total, j.active, j.favorite, round(j.budget, 6), j.last)`;

/**
 * Compares all metrics of all days, counted from single events, with what the task wrote; no events may be 0 or absent.
 */
export const METRICS_MISCOUNTED = `
  WITH events AS (
    SELECT user_id, 'jobs_seen' AS metric, created_at AS at, 1 AS value FROM jobs
    UNION ALL SELECT user_id, 'proposals_sent', submitted_at, 1 FROM proposals WHERE submitted_at IS NOT NULL
    UNION ALL SELECT user_id, 'wins', won_at, 1 FROM proposals WHERE won_at IS NOT NULL
    UNION ALL SELECT user_id, 'ai_cost_usd', created_at, cost FROM ai_calls
    UNION ALL SELECT user_id, 'answers', min(at), 1 FROM (
      SELECT id, user_id, won_at AS at FROM proposals WHERE won_at IS NOT NULL
      UNION ALL SELECT id, user_id, rejected_at FROM proposals WHERE rejected_at IS NOT NULL
      UNION ALL SELECT proposal_id, user_id, changed_at FROM proposal_status_changes
        WHERE upwork_status IN ('Activated', 'Offered')
      UNION ALL SELECT p.id, p.user_id, m.created_at FROM proposals p JOIN messages m USING (user_id, job_id)
        WHERE m.sender_type = 'client' AND m.created_at >= p.submitted_at
    ) heard GROUP BY id, user_id
    UNION ALL SELECT user_id, 'interviews', min(changed_at), 1 FROM proposal_status_changes
      WHERE upwork_status = 'Activated' GROUP BY proposal_id, user_id
    UNION ALL SELECT user_id, 'offers', min(at), 1 FROM (
      SELECT id, user_id, won_at AS at FROM proposals WHERE won_at IS NOT NULL
      UNION ALL SELECT proposal_id, user_id, changed_at FROM proposal_status_changes WHERE upwork_status = 'Offered'
    ) offered GROUP BY id, user_id
  ), wanted AS (
    SELECT user_id, metric, (at AT TIME ZONE 'UTC')::date AS date, sum(value) AS value FROM events
    WHERE at < date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 day' GROUP BY 1, 2, 3
  )
  SELECT count(*)::integer AS figures,
    count(*) FILTER (
      WHERE coalesce(a.metric_value, 0) <> coalesce(round(w.value, 2), 0)
        OR (w.metric = 'ai_cost_usd' AND (a.metric_data ->> 'usd')::numeric <> w.value)
    )::integer AS miscounted
  FROM wanted w FULL JOIN analytics a ON a.user_id = w.user_id AND a.metric_name = w.metric AND a.date = w.date`;
