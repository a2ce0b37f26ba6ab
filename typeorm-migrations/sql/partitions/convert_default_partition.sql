-- Locks the parent for the reason given at app.build_partition().
CREATE FUNCTION app.convert_default_partition(parent text, instant timestamptz) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      fallback CONSTANT text := parent || '_default';
      gap record;
    BEGIN
      SELECT * INTO gap FROM app.find_partition_gap(parent, instant);
      EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', parent);
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT partition_bounds CHECK (%s)', fallback, gap.gap_check);
      EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', parent, fallback);
      EXECUTE format('DROP POLICY %I ON public.%I', fallback || '_drain_select', fallback);
      EXECUTE format('DROP POLICY %I ON public.%I', fallback || '_drain_delete', fallback);
      EXECUTE format('ALTER TABLE public.%I RENAME TO %I', fallback, gap.gap_name);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, gap.gap_name, gap.gap_from, gap.gap_to);
      EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT partition_bounds', gap.gap_name);
      PERFORM app.create_default_partition(parent);
      RETURN gap.gap_name;
    END $$;
COMMENT ON FUNCTION app.convert_default_partition(text, timestamptz) IS
  'Turns the default partition into the partition of the one gap that has all its rows, and creates an empty default.';
