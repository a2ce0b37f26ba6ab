-- A job expires when no search has found it for the time that Upwork's terms allow. Its content is deleted; its row
-- stays, because statistics count it and a search may find it again. A favourite, and a job with a proposal, a message
-- or an AI draft, is the user's own record and never expires. An archived or deleted job keeps its status; only an
-- active one gets expired_at, so that it can become active again.
CREATE FUNCTION app.expire_fetched_jobs(keep interval, take integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH stale AS (
        SELECT j.id FROM public.jobs j
        WHERE j.fetched_at < now() - keep AND NOT j.is_favorite
          AND NOT EXISTS (SELECT FROM public.proposals p WHERE p.user_id = j.user_id AND p.job_id = j.id)
          AND NOT EXISTS (SELECT FROM public.messages m WHERE m.user_id = j.user_id AND m.job_id = j.id)
          AND NOT EXISTS (SELECT FROM public.ai_generations g WHERE g.user_id = j.user_id AND g.job_id = j.id)
        ORDER BY j.fetched_at LIMIT take FOR UPDATE SKIP LOCKED
      ), expired AS (
        UPDATE public.jobs j
        SET title = 'A vacancy no longer kept', description = NULL, budget_min = NULL, budget_max = NULL,
          hourly_rate_min = NULL, hourly_rate_max = NULL, skills = '{}', category = NULL, subcategory = NULL,
          country = NULL, client_info = NULL, job_type = NULL, experience_level = NULL, duration = NULL,
          workload = NULL, posted_at = NULL, renewed_at = NULL, client_spent = NULL, client_spent_currency = NULL,
          client_hires = NULL, client_posted_jobs = NULL, client_rating = NULL, client_reviews = NULL,
          client_payment_verified = NULL, client_member_since = NULL, applicants = NULL, freelancers_to_hire = NULL,
          is_filled = NULL, already_applied = NULL, premium = NULL, enterprise = NULL, preferred_locations = NULL,
          location_required = NULL, source_payload = NULL, fetched_at = NULL,
          expired_at = CASE WHEN j.status = 'active' THEN now() END,
          status = CASE WHEN j.status = 'active' THEN 'deleted' ELSE j.status END
        FROM stale WHERE j.id = stale.id
        RETURNING 1
      )
      SELECT count(*) FROM expired
    $$;
COMMENT ON FUNCTION app.expire_fetched_jobs(interval, integer) IS
  'Deletes the content of at most take vacancies that no search found within keep and that their users did not use. '
  'Returns the number.';
GRANT EXECUTE ON FUNCTION app.expire_fetched_jobs(interval, integer) TO gigvault_worker;
ALTER FUNCTION app.expire_fetched_jobs(interval, integer) OWNER TO gigvault_definer;
