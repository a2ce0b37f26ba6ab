CREATE FUNCTION app.create_partitions(years_ahead integer DEFAULT 2) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      parent text;
      instant timestamptz;
      last CONSTANT timestamptz := date_trunc('year', now()) + make_interval(years => years_ahead + 1);
    BEGIN
      -- Migrations call it too. They sign in as a member of the tables' owner, which no login of a server is.
      IF NOT pg_has_role(session_user, current_user, 'MEMBER') THEN
        PERFORM auth.require_signature();
      END IF;
      IF years_ahead NOT BETWEEN 0 AND 10 THEN
        RAISE EXCEPTION 'years_ahead is % and must be 0 to 10', years_ahead USING ERRCODE = 'invalid_parameter_value';
      END IF;
      FOR parent IN SELECT t.table_name FROM app.partitioned_tables t ORDER BY 1 LOOP
        LOOP
          SELECT c.covered_until INTO STRICT instant FROM app.partition_coverage() c WHERE c.table_name = parent;
          EXIT WHEN instant >= last;
          RETURN NEXT app.build_partition(parent, instant);
        END LOOP;
      END LOOP;
    END $$;
COMMENT ON FUNCTION app.create_partitions(integer) IS
  'Creates the missing partitions from now to the end of the years ahead. Returns their names. Call it with a '
  'lock_timeout and repeat it after a timeout.';
GRANT EXECUTE ON FUNCTION app.create_partitions(integer) TO gigvault_worker;
