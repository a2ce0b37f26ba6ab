-- The partition is created LIKE its parent and then attached. ATTACH takes a ShareUpdateExclusive lock on the
-- parent; CREATE TABLE … PARTITION OF takes an AccessExclusive lock and stops every insert. The CHECK lets ATTACH
-- skip reading the new table.
--
-- An insert that waits for the lock of the default partition has been routed already, and fails once that partition no
-- longer accepts its row. So a transaction that may move rows out of the default partition locks the parent, where
-- inserts are not routed yet. That lock can deadlock with a transaction that reads the table and then writes to it.
-- With a lock_timeout below PostgreSQL's deadlock_timeout (1 s) the builder gives way; its caller repeats it.
CREATE FUNCTION app.build_partition(parent text, instant timestamptz) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      fallback CONSTANT text := parent || '_default';
      gap record;
      has_rows boolean;
    BEGIN
      SELECT * INTO gap FROM app.find_partition_gap(parent, instant);
      EXECUTE format('CREATE TABLE public.%I '
        '(LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', gap.gap_name, parent);
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT partition_bounds CHECK (%s)', gap.gap_name, gap.gap_check);
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE %s)', fallback, gap.gap_check) INTO has_rows;
      IF has_rows OR now() >= gap.gap_from AND now() < gap.gap_to THEN
        EXECUTE format('LOCK TABLE ONLY public.%I IN SHARE ROW EXCLUSIVE MODE', parent);
      END IF;
      EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', fallback);
      IF has_rows THEN
        -- A move does not change a row, so the default partition's audit triggers are disabled for it.
        EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', fallback);
        EXECUTE format('WITH moved AS (DELETE FROM public.%I WHERE %s RETURNING *) '
          'INSERT INTO public.%I SELECT * FROM moved', fallback, gap.gap_check, gap.gap_name);
        EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', fallback);
      END IF;
      PERFORM app.secure_partition(parent, gap.gap_name);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, gap.gap_name, gap.gap_from, gap.gap_to);
      EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT partition_bounds', gap.gap_name);
      RETURN gap.gap_name;
    END $$;
COMMENT ON FUNCTION app.build_partition(text, timestamptz) IS
  'Creates and attaches a partition for the gap around an instant and moves its rows there from the default partition.';
