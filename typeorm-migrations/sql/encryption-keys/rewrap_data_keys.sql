-- A key is replaced only if its wrapping is still the old one, so two workers cannot undo each other's work.
CREATE FUNCTION app.rewrap_data_keys(changes jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      changed integer;
    BEGIN
      UPDATE public.data_keys k SET wrapped_key = c.new
      FROM jsonb_to_recordset(changes) AS c (id bigint, old text, new text)
      WHERE k.id = c.id AND k.wrapped_key = c.old;
      GET DIAGNOSTICS changed = ROW_COUNT;
      RETURN changed;
    END $$;
COMMENT ON FUNCTION app.rewrap_data_keys(jsonb) IS
  'Replaces wrapped keys [{id, old, new}] that are still the old ones. Returns the number of replaced keys.';
GRANT EXECUTE ON FUNCTION app.rewrap_data_keys(jsonb) TO gigvault_worker;
ALTER FUNCTION app.rewrap_data_keys(jsonb) OWNER TO gigvault_definer;
