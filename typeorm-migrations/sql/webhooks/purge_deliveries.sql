CREATE FUNCTION app.purge_deliveries() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH gone AS (
        DELETE FROM public.alert_deliveries WHERE status <> 'pending' AND created_at < now() - interval '30 days' RETURNING 1
      )
      SELECT count(*) FROM gone
    $$;
COMMENT ON FUNCTION app.purge_deliveries() IS
  'Removes alerts older than 30 days that are over; returns how many.';
GRANT EXECUTE ON FUNCTION app.purge_deliveries() TO gigvault_worker;
ALTER FUNCTION app.purge_deliveries() OWNER TO gigvault_definer;
