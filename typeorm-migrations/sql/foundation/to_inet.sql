-- An invalid address must never fail the request that is being logged.
CREATE FUNCTION app.to_inet(address text) RETURNS inet
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      IF address IS NULL OR address = '' THEN
        RETURN NULL;
      END IF;
      -- A dual-stack socket reports 1.2.3.4 as ::ffff:1.2.3.4; host() drops a netmask.
      RETURN host(regexp_replace(address, '^::ffff:(?=\d+\.\d+\.\d+\.\d+$)', '', 'i')::inet)::inet;
    EXCEPTION WHEN data_exception THEN
      RETURN NULL;
    END $$;
COMMENT ON FUNCTION app.to_inet(text) IS 'Parses an address; an IPv4-mapped one becomes IPv4, an invalid one NULL.';
GRANT EXECUTE ON FUNCTION app.to_inet(text) TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
