-- A partition is a table made LIKE its parent and then attached. ATTACH takes a ShareUpdateExclusive lock on the
-- parent; CREATE TABLE … PARTITION OF takes an AccessExclusive lock and stops every insert. The CHECK lets ATTACH skip
-- reading the new table.
--
-- A row that waits for the lock of the default partition has been routed there already, and fails once that partition
-- no longer accepts it. So a transaction that takes rows out of the default partition, or might, stops writers at the
-- parent, where they have not been routed yet. A transaction that reads the table and then writes to it can deadlock
-- with that. If the caller's lock_timeout is below PostgreSQL's deadlock_timeout (1 s), the builder gives way and tries
-- again.
CREATE FUNCTION app.build_partition(parent text, instant timestamptz) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      fallback CONSTANT text := parent || '_default';
      gap record;
      stray boolean;
    BEGIN
      SELECT * INTO gap FROM app.find_partition_gap(parent, instant);
      EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)',
        gap.gap_name, parent);
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT only_this_time CHECK (%s)', gap.gap_name, gap.gap_check);
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE %s)', fallback, gap.gap_check) INTO stray;
      IF stray OR now() >= gap.gap_from AND now() < gap.gap_to THEN
        EXECUTE format('LOCK TABLE ONLY public.%I IN SHARE ROW EXCLUSIVE MODE', parent);
      END IF;
      EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', fallback);
      IF stray THEN
        -- Moving a row is no change of it: the audit triggers of the default partition rest in this transaction.
        EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', fallback);
        EXECUTE format('WITH moved AS (DELETE FROM public.%I WHERE %s RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
          fallback, gap.gap_check, gap.gap_name);
        EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', fallback);
      END IF;
      PERFORM app.secure_partition(parent, gap.gap_name);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, gap.gap_name, gap.gap_from, gap.gap_to);
      EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT only_this_time', gap.gap_name);
      RETURN gap.gap_name;
    END $$;
COMMENT ON FUNCTION app.build_partition(text, timestamptz) IS
  'Makes and attaches a partition for the gap around an instant, with the rows of it that lie in the default '
  'partition.';
