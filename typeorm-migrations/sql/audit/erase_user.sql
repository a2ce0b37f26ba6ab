CREATE FUNCTION audit.erase_user(user_id bigint, email_hash bytea, was_admin boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      changes bigint;
      events bigint;
      result jsonb;
    BEGIN
      IF erase_user.user_id IS NULL THEN
        RAISE EXCEPTION 'whom to forget?' USING ERRCODE = 'invalid_parameter_value';
      END IF;
      UPDATE public.audit_logs a
      SET values_hash = audit.values_hash(a), values_salt = NULL, old_values = NULL, new_values = NULL, ip_address = NULL, reason = NULL
      WHERE a.user_id = erase_user.user_id AND a.values_hash IS NULL;
      GET DIAGNOSTICS changes = ROW_COUNT;
      IF was_admin THEN
        -- What he did to the rows of others is theirs; where he sat is his.
        UPDATE public.audit_logs a SET ip_address = NULL WHERE a.actor_id = erase_user.user_id AND a.ip_address IS NOT NULL;
      END IF;
      UPDATE public.security_logs s SET ip_address = NULL, user_agent = NULL, details = NULL
      WHERE s.user_id = erase_user.user_id
         OR (s.user_id IS NULL AND s.details ->> 'emailHash' = encode(erase_user.email_hash, 'hex'));
      GET DIAGNOSTICS events = ROW_COUNT;
      SELECT jsonb_build_object('auditRows', changes, 'securityEvents', events,
               'deletedRows', coalesce(jsonb_object_agg(d.table_name, d.rows), '{}'))
      INTO result
      FROM (SELECT a.table_name, count(*) AS rows FROM public.audit_logs a
            WHERE a.user_id = erase_user.user_id AND a.action = 'DELETE' AND a.transaction_id = pg_current_xact_id()
            GROUP BY a.table_name) AS d;
      PERFORM auth.log_event('audit.forgotten', erase_user.user_id, true, NULL, NULL, result);
      RETURN result;
    END $$;
COMMENT ON FUNCTION audit.erase_user(bigint, bytea, boolean) IS
  'Takes the values, addresses, agents and reasons out of all rows of both logs that are about a user; leaves the '
  'event audit.forgotten. Returns how many rows of the logs, and how many rows this transaction deleted of him.';
GRANT EXECUTE ON FUNCTION audit.erase_user(bigint, bytea, boolean) TO gigvault_definer;
ALTER FUNCTION audit.erase_user(bigint, bytea, boolean) OWNER TO gigvault_auditor;
