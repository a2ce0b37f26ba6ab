-- The arguments are the table's generated columns and the columns whose change does not count. In a BEFORE trigger
-- PostgreSQL has not computed generated columns yet: they are NULL in NEW, so a plain comparison would always find a
-- difference. So both rows are compared with NULL in these columns.
CREATE FUNCTION app.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    DECLARE
      ignored jsonb;
    BEGIN
      IF NEW.id IS DISTINCT FROM OLD.id THEN
        RAISE EXCEPTION 'the id of a row of % never changes', TG_TABLE_NAME
          USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      NEW.version := OLD.version;
      NEW.updated_at := OLD.updated_at;
      IF TG_NARGS > 0 THEN
        ignored := jsonb_object(TG_ARGV, array_fill(NULL::text, ARRAY[TG_NARGS]));
      END IF;
      IF (CASE WHEN TG_NARGS = 0 THEN NEW IS DISTINCT FROM OLD
               ELSE jsonb_populate_record(NEW, ignored) IS DISTINCT FROM jsonb_populate_record(OLD, ignored) END)
      THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := now();
      END IF;
      RETURN NEW;
    END $$;
COMMENT ON FUNCTION app.set_updated_at() IS
  'BEFORE UPDATE: sets version + 1 and updated_at = now() when a column other than the arguments changes.';
