-- Without this error an expired context would read as an empty account. GV001 becomes 503, and the caller repeats.
CREATE FUNCTION auth.refuse_context() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      RAISE EXCEPTION 'the signature of the context has expired' USING ERRCODE = 'GV001';
    END $$;
COMMENT ON FUNCTION auth.refuse_context() IS 'Raises the error for a genuine context that was signed too long ago.';
GRANT EXECUTE ON FUNCTION auth.refuse_context() TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_definer, gigvault_auditor;
