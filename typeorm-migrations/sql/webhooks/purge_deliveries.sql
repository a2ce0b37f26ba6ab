CREATE FUNCTION app.purge_deliveries() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH deleted AS (
        DELETE FROM public.alert_deliveries WHERE status <> 'pending' AND created_at < now() - interval '30 days'
        RETURNING 1)
      SELECT count(*) FROM deleted
    $$;
COMMENT ON FUNCTION app.purge_deliveries() IS
  'Deletes ended deliveries older than 30 days; returns the number.';
GRANT EXECUTE ON FUNCTION app.purge_deliveries() TO gigvault_worker;
ALTER FUNCTION app.purge_deliveries() OWNER TO gigvault_definer;
