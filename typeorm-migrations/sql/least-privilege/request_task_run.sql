-- A function of gigvault_auth, because the API, which calls it, has no login of gigvault_worker.
CREATE FUNCTION auth.request_task_run(requested text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.task_runs (task, started_by, outcome)
      SELECT requested, 'user', 'queued'
      WHERE NOT EXISTS (SELECT FROM public.task_runs WHERE task = requested AND outcome = 'queued')
      ON CONFLICT DO NOTHING
      RETURNING id
    $$;
COMMENT ON FUNCTION auth.request_task_run(text) IS
  'Queues a run of a task at the request of a user; NULL when a run is queued already, which serves all requests.';
GRANT EXECUTE ON FUNCTION auth.request_task_run(text) TO gigvault_auth;
ALTER FUNCTION auth.request_task_run(text) OWNER TO gigvault_definer;
