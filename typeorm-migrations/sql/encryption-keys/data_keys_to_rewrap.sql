CREATE FUNCTION app.data_keys_to_rewrap(master_key text, after bigint, take integer)
    RETURNS TABLE (id bigint, user_id bigint, key_id uuid, wrapped_key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT k.id, k.user_id, k.key_id, k.wrapped_key FROM public.data_keys k
      WHERE k.id > $2 AND split_part(k.wrapped_key, '.', 2) <> $1 ORDER BY k.id LIMIT $3
    $$;
COMMENT ON FUNCTION app.data_keys_to_rewrap(text, bigint, integer) IS
  'Returns data keys that another master key wraps, ordered by id.';
GRANT EXECUTE ON FUNCTION app.data_keys_to_rewrap(text, bigint, integer) TO gigvault_worker;
ALTER FUNCTION app.data_keys_to_rewrap(text, bigint, integer) OWNER TO gigvault_definer;
