CREATE FUNCTION auth.rehash_password(user_id bigint, old_hash text, new_hash text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      UPDATE public.users u SET encrypted_password = new_hash
      WHERE u.id = rehash_password.user_id AND u.encrypted_password = old_hash
    $$;
COMMENT ON FUNCTION auth.rehash_password(bigint, text, text) IS
  'Stores the same password at another bcrypt cost, unless it was changed meanwhile. Ends no session.';
GRANT EXECUTE ON FUNCTION auth.rehash_password(bigint, text, text) TO gigvault_auth;
ALTER FUNCTION auth.rehash_password(bigint, text, text) OWNER TO gigvault_definer;
