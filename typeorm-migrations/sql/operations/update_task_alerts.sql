-- A function of gigvault_auth, because API and worker check the tasks: a missing worker cannot report itself.
--
-- missed: no run since `due`, although the task was not paused. A process started later does not open such an alert,
-- but keeps one opened by another process until the task runs.
-- overlong: exceeds its time limit, or takes more than a minute and five times the usual duration.
-- failed: its latest run finally failed; skipped runs do not count.
CREATE FUNCTION auth.update_task_alerts(tasks jsonb) RETURNS TABLE (task text, reason text, event text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      -- Two processes at once would clear each other's alerts. The next statement sees what the other committed.
      PERFORM pg_advisory_xact_lock(hashtextextended('task_alerts', 0));
      RETURN QUERY
      WITH declared AS (
        SELECT * FROM jsonb_to_recordset(update_task_alerts.tasks)
          AS d (task text, due timestamptz, is_watched boolean, timeout_ms integer)
      ), problems AS MATERIALIZED (
        SELECT d.task, 'missed' AS kind,
          format('was due at %s UTC and no worker took it', to_char(d.due AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
            AS reason
        FROM declared d LEFT JOIN public.task_settings s USING (task)
        WHERE (d.is_watched
            OR EXISTS (
              SELECT FROM public.task_alerts a WHERE a.task = d.task AND a.kind = 'missed' AND a.cleared_at IS NULL))
          AND s.paused IS NOT TRUE AND (s.updated_at IS NULL OR s.updated_at < d.due)
          AND NOT EXISTS (
            SELECT FROM public.task_runs r
            WHERE r.task = d.task AND (r.scheduled_for >= d.due OR r.started_at >= d.due))
        UNION ALL
        SELECT DISTINCT ON (d.task) d.task, 'overlong',
          format('run %s has been running for %s s; %slimit %s s', r.id, round(r.seconds),
            coalesce('usual duration ' || round(usual.seconds) || ' s, ', ''), d.timeout_ms / 1000)
        FROM declared d
        JOIN LATERAL (
          SELECT r.id, extract(epoch FROM now() - r.started_at) AS seconds FROM public.task_runs r
          WHERE r.task = d.task AND r.outcome = 'running'
        ) r ON true
        LEFT JOIN LATERAL (
          SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY l.seconds) AS seconds FROM (
            SELECT extract(epoch FROM l.ended_at - l.started_at) AS seconds FROM public.task_runs l
            WHERE l.task = d.task AND l.outcome IN ('succeeded', 'partial') ORDER BY l.id DESC LIMIT 20) l
          HAVING count(*) >= 5
        ) usual ON true
        WHERE r.seconds > d.timeout_ms / 1000.0 + 15 OR r.seconds > greatest(60, 5 * usual.seconds)
        UNION ALL
        SELECT d.task, 'failed', left(format('run %s %s: %s', r.id,
          CASE r.outcome WHEN 'timed_out' THEN 'took too long' ELSE 'failed' END, r.error), 1000)
        FROM declared d
        JOIN LATERAL (
          SELECT r.* FROM public.task_runs r
          WHERE r.task = d.task AND r.outcome IN ('succeeded', 'partial', 'failed', 'timed_out')
          ORDER BY r.ended_at DESC LIMIT 1
        ) r ON r.outcome IN ('failed', 'timed_out')
      ), opened AS (
        INSERT INTO public.task_alerts (task, kind, reason) SELECT task, kind, reason FROM problems
        ON CONFLICT (task, kind) WHERE cleared_at IS NULL DO NOTHING
        RETURNING task, kind, reason
      ), cleared AS (
        UPDATE public.task_alerts a SET cleared_at = now()
        WHERE a.cleared_at IS NULL AND NOT EXISTS (SELECT FROM problems t WHERE t.task = a.task AND t.kind = a.kind)
          -- An undeclared task may belong to another release that still runs.
          AND (EXISTS (SELECT FROM declared d WHERE d.task = a.task) OR a.created_at < now() - interval '1 hour')
        RETURNING a.task, a.kind, a.reason
      ), events AS (
        SELECT task, kind, reason, 'task.' || kind AS event, false AS success FROM opened
        UNION ALL SELECT task, kind, reason, 'task.recovered', true FROM cleared
      ), logged AS MATERIALIZED (
        SELECT e.task, e.reason, e.event, auth.log_event(e.event, NULL, e.success, NULL, NULL,
          jsonb_build_object('task', e.task, 'kind', e.kind, 'reason', e.reason))
        FROM events e
      )
      SELECT l.task, l.reason, l.event FROM logged l;
    END $$;
COMMENT ON FUNCTION auth.update_task_alerts(jsonb) IS
  'Updates task_alerts to the current problems of the tasks, [{task, due, is_watched, timeout_ms}]: `due` is the '
  'latest scheduled run that a worker must have taken by now, is_watched says whether the caller was already running '
  'then. A new problem opens one alert with the security event task.<kind>; a solved one is cleared with '
  'task.recovered. Returns the changes.';
GRANT EXECUTE ON FUNCTION auth.update_task_alerts(jsonb) TO gigvault_auth;
ALTER FUNCTION auth.update_task_alerts(jsonb) OWNER TO gigvault_definer;
