-- Transition tables have no statistics, so the planner overestimates their joins and would compile them (16 ms for an
-- update): jit is off. gigvault_owner needs EXECUTE to create the triggers.
CREATE FUNCTION audit.capture() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    SET jit = off
    AS $$
    DECLARE
      -- The trigger's argument, because TG_TABLE_NAME would name the partition.
      logical CONSTANT text := TG_ARGV[0];
      -- A row of users is its own tenant.
      tenant_key CONSTANT text := CASE logical WHEN 'users' THEN 'id' ELSE 'user_id' END;
      rules audit.audited_tables;
    BEGIN
      SELECT * INTO STRICT rules FROM audit.audited_tables t WHERE t.table_name = logical;
      CASE TG_OP
      WHEN 'INSERT' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, new_values,
          actor_kind, actor_id, request_id, ip_address, operation, reason)
        SELECT (r.v ->> tenant_key)::bigint, logical, (r.v ->> 'id')::bigint, TG_OP,
               audit.redact(r.v, rules.secret_columns),
               a.actor_kind, a.actor_id, a.request_id, a.ip_address, a.operation, a.reason
        FROM new_rows n, LATERAL (SELECT to_jsonb(n) - rules.ignored_columns OFFSET 0) AS r (v),
             audit.actor a;
      WHEN 'DELETE' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values,
          actor_kind, actor_id, request_id, ip_address, operation, reason)
        SELECT (r.v ->> tenant_key)::bigint, logical, (r.v ->> 'id')::bigint, TG_OP,
               audit.redact(r.v, rules.secret_columns),
               a.actor_kind, a.actor_id, a.request_id, a.ip_address, a.operation, a.reason
        FROM old_rows o, LATERAL (SELECT to_jsonb(o) - rules.ignored_columns OFFSET 0) AS r (v),
             audit.actor a;
      WHEN 'UPDATE' THEN
        INSERT INTO public.audit_logs (user_id, table_name, record_id, action, old_values, new_values,
          actor_kind, actor_id, request_id, ip_address, operation, reason)
        SELECT (r.n ->> tenant_key)::bigint, logical, (r.n ->> 'id')::bigint, TG_OP,
               audit.redact(c.old_values, rules.secret_columns), audit.redact(c.new_values, rules.secret_columns),
               a.actor_kind, a.actor_id, a.request_id, a.ip_address, a.operation, a.reason
        FROM old_rows o JOIN new_rows n ON n.id = o.id,
             LATERAL (
               SELECT to_jsonb(o) - rules.ignored_columns, to_jsonb(n) - rules.ignored_columns OFFSET 0
             ) AS r (o, n),
             LATERAL audit.changes(r.o, r.n) AS c,
             audit.actor a
        WHERE c.new_values IS NOT NULL;
      END CASE;
      RETURN NULL;
    END $$;
COMMENT ON FUNCTION audit.capture() IS
  'Audit source triggers: writes one row of audit_logs for each changed row. Argument: the logical table.';
ALTER FUNCTION audit.capture() OWNER TO gigvault_auditor;
SET LOCAL ROLE gigvault_auditor;
GRANT EXECUTE ON FUNCTION audit.capture() TO gigvault_owner;
SET LOCAL ROLE gigvault_owner;
