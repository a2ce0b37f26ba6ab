-- Lets the task that settles orphaned calls skip a run without writing an event.
CREATE FUNCTION app.orphaned_ai_runs(unseen_for interval) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$ SELECT count(*)::integer FROM public.ai_runs WHERE seen_at < clock_timestamp() - unseen_for $$;
COMMENT ON FUNCTION app.orphaned_ai_runs(interval) IS
  'Counts the AI calls that no process renewed within the interval.';
GRANT EXECUTE ON FUNCTION app.orphaned_ai_runs(interval) TO gigvault_worker;
ALTER FUNCTION app.orphaned_ai_runs(interval) OWNER TO gigvault_definer;
