CREATE FUNCTION app.create_syncs() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      INSERT INTO public.syncs (user_id, token_id, kind)
      SELECT NEW.user_id, NEW.id, k.kind FROM unnest('{jobs,proposals,messages}'::text[]) AS k (kind)
      ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $$;
COMMENT ON FUNCTION app.create_syncs() IS 'AFTER INSERT: creates the synchronisations of a new connection.';
