CREATE FUNCTION app.drain_default_partition(parent text, move_limit bigint DEFAULT 50000) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      key_column text;
      gap record;
      part record;
    BEGIN
      PERFORM auth.require_signature();
      SELECT t.key INTO key_column FROM app.partitioned_tables t WHERE t.table_name = parent;
      IF key_column IS NULL THEN
        RAISE EXCEPTION 'no partitioned table is called %', parent USING ERRCODE = 'undefined_table';
      END IF;
      -- The smallest year comes first, so that the largest is left and need not be moved.
      EXECUTE format('SELECT min(%I)::timestamptz AS first, max(%1$I)::timestamptz AS last, count(*) AS size, '
        'sum(count(*)) OVER () AS total '
        'FROM public.%I GROUP BY date_trunc(''year'', %1$I::timestamptz) ORDER BY size LIMIT 1',
        key_column, parent || '_default') INTO part;
      IF part.size IS NULL THEN
        RETURN;
      END IF;
      SELECT * INTO gap FROM app.find_partition_gap(parent, part.first);
      IF part.size > move_limit AND part.size = part.total AND part.last < gap.gap_to THEN
        RETURN NEXT app.convert_default_partition(parent, part.first);
      ELSE
        RETURN NEXT app.build_partition(parent, part.first);
      END IF;
    END $$;
COMMENT ON FUNCTION app.drain_default_partition(text, bigint) IS
  'Moves the rows of one year out of the default partition and returns the name of their new partition. Repeat it, '
  'each time in a transaction, until it returns no row. If all rows are of one year and more than move_limit, the '
  'default partition becomes that year''s partition.';
GRANT EXECUTE ON FUNCTION app.drain_default_partition(text, bigint) TO gigvault_worker;
