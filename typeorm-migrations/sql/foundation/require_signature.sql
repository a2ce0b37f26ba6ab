-- For functions that change more than rows of a table with policies. Policies refuse the others.
CREATE FUNCTION auth.require_signature() RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM auth.signed_session) THEN
        RAISE EXCEPTION 'this needs a signed context' USING ERRCODE = 'insufficient_privilege';
      END IF;
    END $$;
COMMENT ON FUNCTION auth.require_signature() IS 'Raises an error unless auth.signed_session has a row.';
GRANT EXECUTE ON FUNCTION auth.require_signature() TO gigvault_definer;
