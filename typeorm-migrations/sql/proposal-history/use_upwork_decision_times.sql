CREATE FUNCTION app.use_upwork_decision_times() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      IF NEW.upwork_changed_at IS NULL
        OR (TG_OP = 'UPDATE' AND NEW.upwork_changed_at IS NOT DISTINCT FROM OLD.upwork_changed_at) THEN
        RETURN NEW;
      END IF;
      IF NEW.status = 'accepted' AND (TG_OP = 'INSERT' OR OLD.status <> 'accepted') THEN
        NEW.won_at := NEW.upwork_changed_at;
      ELSIF NEW.status = 'rejected' AND (TG_OP = 'INSERT' OR OLD.status <> 'rejected') THEN
        NEW.rejected_at := NEW.upwork_changed_at;
      END IF;
      RETURN NEW;
    END $$;
COMMENT ON FUNCTION app.use_upwork_decision_times() IS
  'BEFORE INSERT OR UPDATE, after set_decision_times: replaces now() by the time of the decision on Upwork.';
