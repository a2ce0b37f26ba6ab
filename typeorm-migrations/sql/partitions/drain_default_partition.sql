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
      SELECT t.key INTO key_column FROM app.partitioned_tables t WHERE t.table_name = parent;
      IF key_column IS NULL THEN
        RAISE EXCEPTION 'no partitioned table is called %', parent USING ERRCODE = 'undefined_table';
      END IF;
      -- The smallest year first: what is left at the end is the one that need not be moved.
      EXECUTE format('SELECT min(%I)::timestamptz AS first, max(%1$I)::timestamptz AS last, count(*) AS stray, sum(count(*)) OVER () AS all_strays '
        'FROM public.%I GROUP BY date_trunc(''year'', %1$I::timestamptz) ORDER BY stray LIMIT 1', key_column, parent || '_default') INTO part;
      IF part.stray IS NULL THEN
        RETURN;
      END IF;
      SELECT * INTO gap FROM app.find_partition_gap(parent, part.first);
      IF part.stray > move_limit AND part.stray = part.all_strays AND part.last < gap.gap_to THEN
        RETURN NEXT app.convert_default_partition(parent, part.first);
      ELSE
        RETURN NEXT app.build_partition(parent, part.first);
      END IF;
    END $$;
COMMENT ON FUNCTION app.drain_default_partition(text, bigint) IS
  'Gives one part of the rows in the default partition a partition of its own and returns its name; nothing when none '
  'are left: call it until then, each time in a transaction. More than move_limit rows of one year alone are not '
  'moved: the default partition becomes that year.';
GRANT EXECUTE ON FUNCTION app.drain_default_partition(text, bigint) TO gigvault_worker;
