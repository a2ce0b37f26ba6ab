-- One INSERT with as few expressions as possible: PL/pgSQL prepares every expression again in each transaction, and
-- PostgreSQL every column default. A write costs a third less than with one call for a list of changes (`npm run
-- bench` prints it). The server formats numbers and instants as to_jsonb() does, so the values are stored unchanged.
-- audit.record_redacted() handles values that must not be logged and changes that leave no row.
CREATE FUNCTION audit.record(logical text, record_id bigint, action text, old_values jsonb, new_values jsonb)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values,
        actor_kind, actor_id, request_id, ip_address, operation, reason)
      SELECT a.tenant, t.table_name, record.record_id, record.action, record.old_values, record.new_values,
        a.actor_kind, a.actor_id, a.request_id, a.ip_address, a.operation, a.reason
      FROM audit.audited_tables t, audit.actor a
      WHERE t.table_name = logical AND a.tenant IS NOT NULL
        AND (record.old_values ?| t.handled_columns) IS NOT TRUE
        AND (record.new_values ?| t.handled_columns) IS NOT TRUE
        AND CASE record.action
          WHEN 'UPDATE' THEN record.old_values <> record.new_values
          WHEN 'INSERT' THEN record.new_values -> 'id' = to_jsonb(record.record_id)
            AND record.new_values -> 'user_id' = to_jsonb(a.tenant)
        END;
      IF FOUND THEN
        RETURN true;
      END IF;
      RETURN audit.record_redacted(logical, record_id, action, old_values, new_values);
    END $$;
COMMENT ON FUNCTION audit.record(text, bigint, text, jsonb, jsonb) IS
  'Audit source subscriber: writes the change of a row to audit_logs. Tenant, actor, request and address come from the '
  'context. Returns false for an update that changed nothing, which leaves no row.';
GRANT EXECUTE ON FUNCTION audit.record(text, bigint, text, jsonb, jsonb) TO gigvault_app;
ALTER FUNCTION audit.record(text, bigint, text, jsonb, jsonb) OWNER TO gigvault_auditor;
