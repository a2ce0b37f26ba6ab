-- The verification of the logs explains erased and missing rows by these events, so no login may call this.
CREATE FUNCTION auth.log_audit_event(event_type text, user_id bigint, details jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.security_logs (event_type, user_id, success, details)
      VALUES (log_audit_event.event_type, log_audit_event.user_id, true, log_audit_event.details)
    $$;
COMMENT ON FUNCTION auth.log_audit_event(text, bigint, jsonb) IS
  'Logs an erasure (audit.forgotten) or a removal (audit.removed) of rows of the logs.';
ALTER FUNCTION auth.log_audit_event(text, bigint, jsonb) OWNER TO gigvault_definer;
SET LOCAL ROLE gigvault_definer;
GRANT EXECUTE ON FUNCTION auth.log_audit_event(text, bigint, jsonb) TO gigvault_auditor, gigvault_owner;
SET LOCAL ROLE gigvault_owner;
