CREATE FUNCTION app.create_default_partition(parent text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      fallback CONSTANT text := parent || '_default';
    BEGIN
      EXECUTE format('CREATE TABLE public.%I '
        '(LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', fallback, parent);
      PERFORM app.secure_partition(parent, fallback);
      EXECUTE format('CREATE POLICY %I ON public.%I FOR SELECT TO gigvault_owner USING (true)',
        fallback || '_drain_select', fallback);
      EXECUTE format('CREATE POLICY %I ON public.%I FOR DELETE TO gigvault_owner USING (true)',
        fallback || '_drain_delete', fallback);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I DEFAULT', parent, fallback);
    END $$;
COMMENT ON FUNCTION app.create_default_partition(text) IS
  'Creates the default partition. gigvault_owner may move its rows out.';
