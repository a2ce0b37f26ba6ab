CREATE FUNCTION app.set_decision_times() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      -- An archived proposal that becomes accepted or rejected again keeps its time: its archiving was undone.
      NEW.won_at := CASE NEW.status WHEN 'accepted' THEN coalesce(OLD.won_at, now()) END;
      NEW.rejected_at := CASE NEW.status WHEN 'rejected' THEN coalesce(OLD.rejected_at, now()) END;
      IF TG_OP = 'UPDATE' AND NEW.status IN (OLD.status, 'archived') THEN
        NEW.won_at := OLD.won_at;
        NEW.rejected_at := OLD.rejected_at;
      END IF;
      RETURN NEW;
    END $$;
COMMENT ON FUNCTION app.set_decision_times() IS
  'BEFORE INSERT OR UPDATE: sets proposals.won_at and rejected_at from the status; no other code sets them.';
