-- For defaults of columns and for functions. Policies and views read (SELECT tenant FROM auth.context), which costs
-- less and runs once a statement and not once a row.
CREATE FUNCTION auth.uid() RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      RETURN (SELECT c.tenant FROM auth.context c);
    END $$;
COMMENT ON FUNCTION auth.uid() IS 'Returns the tenant of the signed context, or NULL.';
GRANT EXECUTE ON FUNCTION auth.uid() TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
