CREATE FUNCTION app.purge_expired() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      keys bigint;
      runs bigint;
    BEGIN
      DELETE FROM public.idempotency_keys WHERE created_at < now() - interval '24 hours';
      GET DIAGNOSTICS keys = ROW_COUNT;
      DELETE FROM public.task_runs WHERE created_at < now() - interval '90 days' AND ended_at IS NOT NULL;
      GET DIAGNOSTICS runs = ROW_COUNT;
      RETURN jsonb_build_object('idempotencyKeys', keys, 'taskRuns', runs);
    END $$;
COMMENT ON FUNCTION app.purge_expired() IS
  'Deletes idempotency keys after 24 hours and ended task runs after 90 days; returns both numbers.';
GRANT EXECUTE ON FUNCTION app.purge_expired() TO gigvault_worker;
ALTER FUNCTION app.purge_expired() OWNER TO gigvault_definer;
