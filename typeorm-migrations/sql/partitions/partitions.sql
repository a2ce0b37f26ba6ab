-- Reads the bounds and not the names, because an operator may have created a partition by hand under any name.
-- A bound reads as in FOR VALUES FROM ('2026-01-01 00:00:00+00') TO (MAXVALUE).
CREATE FUNCTION app.partitions()
    RETURNS TABLE (
      table_name text, partition regclass, is_default boolean, valid_from timestamptz, valid_to timestamptz
    )
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
      SELECT t.table_name, i.inhrelid::regclass, b.bound = 'DEFAULT',
        coalesce(substring(b.bound FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity'),
        coalesce(substring(b.bound FROM 'TO \(''([^'']+)''\)')::timestamptz, 'infinity')
      FROM app.partitioned_tables t
      JOIN pg_inherits i ON i.inhparent = to_regclass(format('public.%I', t.table_name))
      JOIN pg_class c ON c.oid = i.inhrelid,
      LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bound)
      ORDER BY 1, 4
    $$;
COMMENT ON FUNCTION app.partitions() IS
  'Returns the attached partitions with their bounds; valid_to is exclusive.';
GRANT EXECUTE ON FUNCTION app.partitions() TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;
