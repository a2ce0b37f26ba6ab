-- After a SET LOCAL has ended, the setting is '' on that connection and not NULL, hence nullif(). Policies call
-- (SELECT auth.uid()), so that it runs once a statement and not once a row.
CREATE FUNCTION auth.uid() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.user_id', true), '')::bigint $$;
COMMENT ON FUNCTION auth.uid() IS 'Returns the tenant of the transaction (app.user_id), or NULL.';
GRANT EXECUTE ON FUNCTION auth.uid() TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
