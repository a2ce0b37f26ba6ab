-- Gives a partition the protection of its parent: forced row security with the parent's policy, no grants, triggers.
CREATE FUNCTION app.secure_partition(parent text, partition text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition);
      EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition);
      EXECUTE format('CREATE POLICY %I ON public.%I FOR SELECT USING (user_id = (SELECT tenant FROM auth.context))',
        parent || '_own_data_select', partition);
      -- The parent's statement triggers do not fire for a statement that names the partition.
      PERFORM audit.enable_partition(parent, partition);
    END $$;
COMMENT ON FUNCTION app.secure_partition(text, text) IS
  'Adds row security and audit triggers, which a partition does not inherit.';
