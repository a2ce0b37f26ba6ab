-- An address that a client claims must never fail the request that is being logged.
CREATE FUNCTION app.to_inet(address text) RETURNS inet
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      IF address IS NULL OR address = '' THEN
        RETURN NULL;
      END IF;
      -- ::ffff:1.2.3.4 is 1.2.3.4 on a socket that speaks both; host() drops a netmask.
      RETURN host(regexp_replace(address, '^::ffff:(?=\d+\.\d+\.\d+\.\d+$)', '', 'i')::inet)::inet;
    EXCEPTION WHEN data_exception THEN
      RETURN NULL;
    END $$;
COMMENT ON FUNCTION app.to_inet(text) IS 'The address, an IPv4 one written plainly; NULL when it is none.';
GRANT EXECUTE ON FUNCTION app.to_inet(text) TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
