CREATE FUNCTION audit.erase_user(user_id bigint, email_hash bytea, was_admin boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      changes bigint;
      events bigint;
      without_user bigint[];
      result jsonb;
    BEGIN
      IF erase_user.user_id IS NULL THEN
        RAISE EXCEPTION 'user_id must not be NULL' USING ERRCODE = 'invalid_parameter_value';
      END IF;
      UPDATE public.audit_logs a
      SET values_hash = audit.values_hash(a), address_hash = audit.address_hash(a), values_salt = NULL,
          old_values = NULL, new_values = NULL, ip_address = NULL, reason = NULL
      WHERE a.user_id = erase_user.user_id AND a.values_hash IS NULL;
      GET DIAGNOSTICS changes = ROW_COUNT;
      IF was_admin THEN
        -- The admin's changes belong to the tenants whose rows changed; the admin's address does not.
        UPDATE public.audit_logs a
        SET address_hash = audit.address_hash(a), values_salt = substr(a.values_salt, 1, 16), ip_address = NULL
        WHERE a.actor_id = erase_user.user_id AND a.ip_address IS NOT NULL;
      END IF;
      -- The details of an erasure are no personal data, and explain what was erased.
      WITH erased AS (
        UPDATE public.security_logs s
        SET details_hash = audit.details_hash(s), details_salt = NULL, details = NULL,
            ip_address = NULL, user_agent = NULL
        WHERE (s.user_id = erase_user.user_id AND s.event_type <> 'audit.forgotten')
           OR (s.user_id IS NULL AND s.details ->> 'emailHash' = encode(erase_user.email_hash, 'hex'))
        RETURNING s.id, s.user_id
      )
      SELECT count(*), array_agg(e.id) FILTER (WHERE e.user_id IS NULL) INTO events, without_user FROM erased e;
      SELECT jsonb_build_object('auditRows', changes, 'securityEvents', events,
               'deletedRows', coalesce(jsonb_object_agg(d.table_name, d.rows), '{}'))
      INTO result
      FROM (SELECT a.table_name, count(*) AS rows FROM public.audit_logs a
            WHERE a.user_id = erase_user.user_id AND a.action = 'DELETE' AND a.transaction_id = pg_current_xact_id()
            GROUP BY a.table_name) AS d;
      PERFORM auth.log_audit_event('audit.forgotten', erase_user.user_id,
        result || jsonb_strip_nulls(jsonb_build_object('eventsWithoutUser', to_jsonb(without_user))));
      RETURN result;
    END $$;
COMMENT ON FUNCTION audit.erase_user(bigint, bytea, boolean) IS
  'Erases values, addresses, user agents and reasons from the rows of both logs that are about a user, and logs the '
  'event audit.forgotten. Returns the number of log rows, and of the user''s rows that this transaction deleted.';
GRANT EXECUTE ON FUNCTION audit.erase_user(bigint, bytea, boolean) TO gigvault_definer;
ALTER FUNCTION audit.erase_user(bigint, bytea, boolean) OWNER TO gigvault_auditor;
