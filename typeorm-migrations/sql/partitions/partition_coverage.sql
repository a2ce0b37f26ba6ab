CREATE FUNCTION app.partition_coverage() RETURNS TABLE (table_name text, covered_until timestamptz)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
      WITH RECURSIVE ranges AS MATERIALIZED (
        SELECT * FROM app.partitions() p WHERE NOT p.is_default
      ), reach AS (
        SELECT t.table_name, now() AS until FROM app.partitioned_tables t
        UNION ALL
        SELECT r.table_name, p.valid_to FROM reach r
        JOIN ranges p ON p.table_name = r.table_name AND p.valid_from <= r.until AND p.valid_to > r.until
      )
      SELECT r.table_name, max(r.until) FROM reach r GROUP BY r.table_name ORDER BY 1
    $$;
COMMENT ON FUNCTION app.partition_coverage() IS
  'Returns the time until which each table has partitions without a gap; now() if none covers the present.';
GRANT EXECUTE ON FUNCTION app.partition_coverage() TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;
