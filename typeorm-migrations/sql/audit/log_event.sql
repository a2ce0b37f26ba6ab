-- Logging must never fail the request it logs: an invalid address becomes NULL, a long text is truncated.
CREATE FUNCTION auth.log_event(
  event_type text, user_id bigint, success boolean, ip text, user_agent text, details jsonb
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      IF session_user = 'gigvault_app' AND log_event.user_id IS DISTINCT FROM auth.uid() THEN
        RAISE EXCEPTION 'a tenant may log only its own events' USING ERRCODE = 'insufficient_privilege';
      END IF;
      IF log_event.event_type LIKE 'audit.%' THEN
        RAISE EXCEPTION 'only erasures and removals log the event %', log_event.event_type
          USING ERRCODE = 'insufficient_privilege';
      END IF;
      INSERT INTO public.security_logs (event_type, user_id, success, ip_address, user_agent, details)
      VALUES (
        left(log_event.event_type, 100), log_event.user_id, log_event.success, app.to_inet(log_event.ip),
        left(log_event.user_agent, 512),
        CASE WHEN octet_length(log_event.details::text) > 8192
             THEN jsonb_build_object('truncated', left(log_event.details::text, 4000))
             ELSE log_event.details END
      );
    END $$;
COMMENT ON FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) IS
  'Writes a row of security_logs. Accepts any address and any length. gigvault_app logs only for its own tenant. The '
  'events audit.* have auth.log_audit_event().';
GRANT EXECUTE ON FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) TO
  gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_auditor;
ALTER FUNCTION auth.log_event(text, bigint, boolean, text, text, jsonb) OWNER TO gigvault_definer;
