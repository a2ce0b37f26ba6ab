-- The details expire with the other content of a fetched job: then fetched_at becomes NULL.
CREATE FUNCTION app.clear_expired_details() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      NEW.details := NULL;
      RETURN NEW;
    END $$;
COMMENT ON FUNCTION app.clear_expired_details() IS 'BEFORE UPDATE: deletes the details of a job that expires.';
