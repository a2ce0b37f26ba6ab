-- A line feed never occurs in the text of jsonb, so it separates the two values.
CREATE FUNCTION audit.values_hash(log_row audit_logs) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT coalesce(log_row.values_hash, sha256(log_row.values_salt || convert_to(
        coalesce(log_row.old_values::text, '') || E'\n' || coalesce(log_row.new_values::text, ''), 'UTF8')))
    $$;
COMMENT ON FUNCTION audit.values_hash(audit_logs) IS
  'Returns the hash of a row''s values that a seal covers. Erasing the values does not change it.';
ALTER FUNCTION audit.values_hash(audit_logs) OWNER TO gigvault_auditor;
