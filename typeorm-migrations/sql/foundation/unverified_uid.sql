-- For defaults of columns: their policies compare the value with the verified tenant. PostgreSQL inlines this function,
-- so a default costs a fraction of auth.uid().
CREATE FUNCTION auth.unverified_uid() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(split_part(current_setting('app.context', true), E'\x1f', 2), '')::bigint $$;
COMMENT ON FUNCTION auth.unverified_uid() IS
  'Returns the tenant that the context names, or NULL, without a check of its signature.';
GRANT EXECUTE ON FUNCTION auth.unverified_uid() TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
