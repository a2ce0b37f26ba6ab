CREATE FUNCTION audit.record_redacted(logical text, record_id bigint, action text, old_values jsonb, new_values jsonb)
    RETURNS boolean
    LANGUAGE plpgsql
    AS $$
    DECLARE
      tenant CONSTANT bigint := auth.uid();
      rules audit.audited_tables;
      before jsonb;
      after jsonb;
    BEGIN
      SELECT * INTO rules FROM audit.audited_tables t WHERE t.table_name = logical;
      IF tenant IS NULL THEN
        RAISE EXCEPTION 'no tenant: audit.record() writes for the tenant of the context'
          USING ERRCODE = 'insufficient_privilege';
      ELSIF rules.table_name IS NULL THEN
        RAISE EXCEPTION 'table % is not audited', coalesce(logical, 'without a name')
          USING ERRCODE = 'invalid_parameter_value';
      ELSIF (action IN ('INSERT', 'UPDATE', 'DELETE')) IS NOT TRUE THEN
        RAISE EXCEPTION 'action % is not known', coalesce(action, 'without a name') USING ERRCODE = 'check_violation';
      END IF;
      before := old_values - rules.ignored_columns;
      after := new_values - rules.ignored_columns;
      IF action <> 'UPDATE' THEN
        -- The id and the tenant of a whole row never come from the arguments. A row of users is its own tenant.
        before := before || jsonb_build_object('id', record_id);
        after := after || jsonb_build_object('id', record_id);
        IF logical <> 'users' THEN
          before := before || jsonb_build_object('user_id', tenant);
          after := after || jsonb_build_object('user_id', tenant);
        END IF;
      ELSIF before IS NOT DISTINCT FROM after THEN
        RETURN false;
      END IF;
      INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values,
        actor_kind, actor_id, request_id, ip_address, operation, reason)
      SELECT a.tenant, logical, record_redacted.record_id, record_redacted.action,
        audit.redact(before, rules.secret_columns), audit.redact(after, rules.secret_columns),
        a.actor_kind, a.actor_id, a.request_id, a.ip_address, a.operation, a.reason
      FROM audit.actor a;
      RETURN true;
    END $$;
COMMENT ON FUNCTION audit.record_redacted(text, bigint, text, jsonb, jsonb) IS
  'Writes a change without ignored columns and with secrets redacted, or raises an error. Called by audit.record().';
ALTER FUNCTION audit.record_redacted(text, bigint, text, jsonb, jsonb) OWNER TO gigvault_auditor;
