-- A partition of a log is archived only when each of its rows is sealed.
--
-- DETACH without CONCURRENTLY: PostgreSQL refuses CONCURRENTLY for a table that has a default partition.
CREATE FUNCTION app.archive_partitions(keep_years integer) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
        DECLARE
          old record;
        BEGIN
          PERFORM auth.require_signature();
          IF keep_years IS NULL OR keep_years NOT BETWEEN 1 AND 100 THEN
            RAISE EXCEPTION 'keep_years is % and must be 1 to 100', keep_years
              USING ERRCODE = 'invalid_parameter_value';
          END IF;
          FOR old IN
            SELECT p.table_name, c.relname AS name, p.valid_from, p.valid_to, l.log
            FROM app.partitions() p JOIN pg_class c ON c.oid = p.partition
              LEFT JOIN (VALUES ('audit_logs', 'audit'), ('security_logs', 'security')) AS l (table_name, log)
                ON l.table_name = p.table_name
            WHERE NOT p.is_default AND p.valid_to <= date_trunc('year', now()) - make_interval(years => keep_years)
            ORDER BY 1, 2
          LOOP
            CONTINUE WHEN audit.has_unsealed_rows(old.log, old.valid_from, old.valid_to);
            EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', old.table_name, old.name);
            EXECUTE format('ALTER TABLE public.%I SET SCHEMA archive', old.name);
            IF old.log IS NOT NULL THEN
              PERFORM audit.log_removal(old.log, old.valid_to);
            END IF;
            RETURN NEXT old.name;
          END LOOP;
        END $$;
COMMENT ON FUNCTION app.archive_partitions(integer) IS
  'Detaches partitions that ended keep_years whole years before this year and moves them to schema archive, those of '
  'the logs once their rows are sealed. Returns their names. Call it with a lock_timeout and repeat it after a '
  'timeout.';
GRANT EXECUTE ON FUNCTION app.archive_partitions(integer) TO gigvault_worker;
