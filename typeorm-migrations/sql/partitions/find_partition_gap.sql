CREATE FUNCTION app.find_partition_gap(
  parent text, instant timestamptz,
  OUT gap_from timestamptz, OUT gap_to timestamptz, OUT gap_name text, OUT gap_check text
)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      year_from CONSTANT timestamptz := date_trunc('year', instant);
      year_to CONSTANT timestamptz := date_trunc('year', instant) + interval '1 year';
    BEGIN
      SELECT greatest(year_from, max(p.valid_to) FILTER (WHERE p.valid_to <= instant)),
             least(year_to, min(p.valid_from) FILTER (WHERE p.valid_from > instant))
      INTO gap_from, gap_to
      FROM app.partitions() p WHERE p.table_name = parent AND NOT p.is_default;
      gap_name := parent || '_' || to_char(instant, 'YYYY');
      IF to_regclass(format('public.%I', gap_name)) IS NOT NULL THEN
        gap_name := parent || '_' || to_char(gap_from, 'YYYYMMDDHH24MISS');
      END IF;
      SELECT format('%I >= %L AND %1$I < %3$L', t.key, gap_from, gap_to) INTO STRICT gap_check
      FROM app.partitioned_tables t WHERE t.table_name = parent;
    END $$;
COMMENT ON FUNCTION app.find_partition_gap(text, timestamptz) IS
  'Returns the part of the year (UTC) around an instant that no partition covers, a free name for its partition, and '
  'its CHECK condition. No partition may cover the instant.';
