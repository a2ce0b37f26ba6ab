-- The WHEN condition of the audit triggers asks this only when the context names the subscriber.
CREATE FUNCTION audit.is_subscriber_audited() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      RETURN EXISTS (SELECT FROM auth.context c WHERE split_part(c.signed, E'\x1f', 5) = 'subscriber');
    END $$;
COMMENT ON FUNCTION audit.is_subscriber_audited() IS
  'Returns whether the signed context names the subscriber as the audit source.';
GRANT EXECUTE ON FUNCTION audit.is_subscriber_audited() TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
