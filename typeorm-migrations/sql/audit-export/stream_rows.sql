CREATE FUNCTION audit.stream_rows(audit_ids bigint[], security_ids bigint[])
    RETURNS TABLE (log text, id bigint, body jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET plan_cache_mode = force_custom_plan
    AS $$
    BEGIN
      RETURN QUERY
      SELECT 'audit', a.id, jsonb_build_object('userId', a.user_id, 'table', a.table_name, 'recordId', a.record_id,
        'action', a.action, 'oldValues', a.old_values, 'newValues', a.new_values, 'reason', a.reason,
        'actorKind', a.actor_kind, 'actorId', a.actor_id, 'requestId', a.request_id, 'operation', a.operation,
        'ipAddress', host(a.ip_address), 'isErased', a.values_hash IS NOT NULL)
      FROM public.audit_logs a WHERE a.id = ANY (audit_ids)
      UNION ALL
      SELECT 'security', s.id, jsonb_build_object('userId', s.user_id, 'eventType', s.event_type, 'success', s.success,
        'ipAddress', host(s.ip_address), 'userAgent', s.user_agent, 'details', s.details,
        'isErased', s.details_hash IS NOT NULL)
      FROM public.security_logs s WHERE s.id = ANY (security_ids);
    END $$;
COMMENT ON FUNCTION audit.stream_rows(bigint[], bigint[]) IS
  'Returns rows of both logs by their ids, for the stream to a SIEM. Erased rows have no values.';
GRANT EXECUTE ON FUNCTION audit.stream_rows(bigint[], bigint[]) TO gigvault_worker;
ALTER FUNCTION audit.stream_rows(bigint[], bigint[]) OWNER TO gigvault_auditor;
