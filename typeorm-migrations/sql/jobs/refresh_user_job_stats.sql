-- A second session at the same time finds the lock taken and returns false instead of waiting. Without a signed context
-- the policies show no job, and the refresh would empty the view.
CREATE FUNCTION refresh_user_job_stats() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      started CONSTANT timestamptz := clock_timestamp();
    BEGIN
      PERFORM auth.require_signature();
      IF NOT pg_try_advisory_xact_lock(hashtextextended('user_job_stats', 0)) THEN
        RETURN false;
      END IF;
      REFRESH MATERIALIZED VIEW CONCURRENTLY public.user_job_stats;
      INSERT INTO app.view_refreshes AS r (view_name, refreshed_at, duration_ms)
      VALUES ('user_job_stats', started, extract(epoch FROM clock_timestamp() - started) * 1000)
      ON CONFLICT (view_name) DO UPDATE SET refreshed_at = excluded.refreshed_at, duration_ms = excluded.duration_ms;
      RETURN true;
    END $$;
COMMENT ON FUNCTION refresh_user_job_stats() IS
  'Refreshes user_job_stats without blocking readers. Returns false when another session is refreshing it.';
GRANT EXECUTE ON FUNCTION refresh_user_job_stats() TO gigvault_worker;
ALTER FUNCTION refresh_user_job_stats() OWNER TO gigvault_definer;
