CREATE FUNCTION app.add_upwork_reason() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      SELECT p.upwork_reason INTO NEW.upwork_reason FROM public.proposals p
      WHERE p.user_id = NEW.user_id AND p.id = NEW.proposal_id
        AND (p.status, p.upwork_status) IS NOT DISTINCT FROM (NEW.status, NEW.upwork_status);
      RETURN NEW;
    END $$;
COMMENT ON FUNCTION app.add_upwork_reason() IS
  'BEFORE INSERT of proposal_status_changes: adds the reason of the proposal''s present status.';
