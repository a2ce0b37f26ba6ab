-- Upwork shows only the latest status. A proposal that is first seen as hired has a row for its submission too.
CREATE FUNCTION app.record_status_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      is_first boolean := TG_OP = 'INSERT' OR OLD.status = 'draft';
      is_plain boolean := NEW.status = 'submitted' AND coalesce(upper(NEW.upwork_status) = 'ACCEPTED', true);
      changed_at timestamptz := now();
    BEGIN
      IF NEW.status = 'draft' OR (TG_OP = 'UPDATE'
        AND (NEW.status, NEW.upwork_status) IS NOT DISTINCT FROM (OLD.status, OLD.upwork_status)) THEN
        RETURN NULL;
      END IF;
      IF TG_OP = 'INSERT' OR NEW.upwork_changed_at IS DISTINCT FROM OLD.upwork_changed_at THEN
        changed_at := coalesce(NEW.upwork_changed_at, now());
      END IF;
      IF is_first THEN
        INSERT INTO public.proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at)
        VALUES (NEW.user_id, NEW.id, 'submitted', CASE WHEN is_plain THEN NEW.upwork_status END, NEW.submitted_at);
      END IF;
      IF NOT (is_first AND is_plain) THEN
        INSERT INTO public.proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at)
        VALUES (NEW.user_id, NEW.id, NEW.status, NEW.upwork_status, changed_at);
      END IF;
      RETURN NULL;
    END $$;
COMMENT ON FUNCTION app.record_status_change() IS
  'AFTER INSERT OR UPDATE of proposals: records their status in proposal_status_changes.';
