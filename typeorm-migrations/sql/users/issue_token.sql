-- A request for an address without an account must take as long as one with an account. A transaction that writes
-- nothing commits without waiting for the disk, which made a difference of 40 % ("forgot password"). So the decoy
-- writes a message to PostgreSQL's write-ahead log, which no process reads.
-- See https://www.postgresql.org/docs/15/functions-admin.html (pg_logical_emit_message)
CREATE FUNCTION auth.issue_token(email text, purpose text, token_hash bytea, token_seconds integer)
    RETURNS TABLE (user_id bigint, email_to text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      RETURN QUERY
        WITH receiver AS (
          SELECT u.id, u.email FROM public.users u
          WHERE lower(coalesce(split_part(u.email, '@', 1) || '@' || u.ascii_domain, u.email))
              = lower(issue_token.email)
            AND u.is_active
            AND (issue_token.purpose <> 'verify_email' OR NOT u.is_verified)
        ), issued AS (
          INSERT INTO public.one_time_tokens AS t (user_id, purpose, token_hash, expires_at)
          SELECT r.id, issue_token.purpose, issue_token.token_hash,
                 now() + make_interval(secs => issue_token.token_seconds)
          FROM receiver r
          RETURNING t.user_id
        )
        SELECT r.id, r.email FROM issued i JOIN receiver r ON r.id = i.user_id;
      IF NOT FOUND THEN
        PERFORM pg_logical_emit_message(true, 'decoy', repeat(' ', 200));
      END IF;
    END $$;
COMMENT ON FUNCTION auth.issue_token(text, text, bytea, integer) IS
  'Stores a token for the account of an address. Returns no row without an active account or without need to verify.';
GRANT EXECUTE ON FUNCTION auth.issue_token(text, text, bytea, integer) TO gigvault_auth;
ALTER FUNCTION auth.issue_token(text, text, bytea, integer) OWNER TO gigvault_definer;
