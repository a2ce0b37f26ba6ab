-- What was read of one organization says nothing about another, so its synchronisations begin again. A run loses its
-- lease: it would store at its end how far it read the former organization.
CREATE FUNCTION app.restart_syncs() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      UPDATE public.syncs SET watermark = NULL, list_positions = '{}', next_at = now(), lease_owner = NULL,
        lease_until = NULL
      WHERE user_id = NEW.user_id AND token_id = NEW.id;
      RETURN NULL;
    END $$;
COMMENT ON FUNCTION app.restart_syncs() IS
  'AFTER UPDATE: restarts the synchronisations of a connection whose organization changed.';
