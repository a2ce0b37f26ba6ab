CREATE FUNCTION auth.end_sessions(user_id bigint) RETURNS timestamptz
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      UPDATE public.users u SET sessions_valid_from = clock_timestamp() WHERE u.id = end_sessions.user_id
      RETURNING u.sessions_valid_from
    $$;
COMMENT ON FUNCTION auth.end_sessions(bigint) IS
  'Ends the account''s sessions: those whose credentials were checked before the returned time.';
GRANT EXECUTE ON FUNCTION auth.end_sessions(bigint) TO gigvault_auth, gigvault_admin;
ALTER FUNCTION auth.end_sessions(bigint) OWNER TO gigvault_definer;
