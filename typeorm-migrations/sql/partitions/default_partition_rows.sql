-- gigvault_owner reads the default partitions by the policies that let it drain them. A missing default partition is
-- reported as NULL, so that an admin sees it and the numbers of the other tables still arrive.
CREATE FUNCTION app.default_partition_rows(max_count integer DEFAULT 100000)
    RETURNS TABLE (table_name text, default_rows bigint, oldest timestamptz, newest timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      parent record;
    BEGIN
      FOR parent IN SELECT t.table_name AS name, t.key FROM app.partitioned_tables t ORDER BY 1 LOOP
        table_name := parent.name;
        default_rows := NULL;
        oldest := NULL;
        newest := NULL;
        IF to_regclass(format('public.%I', parent.name || '_default')) IS NULL THEN
          RETURN NEXT;
          CONTINUE;
        END IF;
        EXECUTE format('SELECT count(*), min(k)::timestamptz, max(k)::timestamptz '
          'FROM (SELECT %I AS k FROM public.%I LIMIT $1) AS rows', parent.key, parent.name || '_default')
        INTO default_rows, oldest, newest USING max_count;
        RETURN NEXT;
      END LOOP;
    END $$;
COMMENT ON FUNCTION app.default_partition_rows(integer) IS
  'Returns the number of rows in each default partition, at most max_count, with the oldest and newest time.';
GRANT EXECUTE ON FUNCTION app.default_partition_rows(integer) TO gigvault_worker, gigvault_admin, gigvault_monitor;
