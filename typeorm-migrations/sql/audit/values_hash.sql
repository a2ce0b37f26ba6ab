-- A line feed never occurs in the text of jsonb, so it separates the values and the reason. SQL functions are inlined
-- only if they are not less volatile than what they call, so this one is STABLE.
CREATE FUNCTION audit.values_hash(log_row audit_logs) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
      SELECT coalesce(log_row.values_hash, sha256(substr(log_row.values_salt, 1, 16) || convert_to(
        concat(log_row.old_values, E'\n', log_row.new_values, E'\n', log_row.reason), 'UTF8')))
    $$;
COMMENT ON FUNCTION audit.values_hash(audit_logs) IS
  'Returns the hash of a row''s values and reason that a seal covers. Erasing them does not change it.';
GRANT EXECUTE ON FUNCTION audit.values_hash(audit_logs) TO gigvault_app;
ALTER FUNCTION audit.values_hash(audit_logs) OWNER TO gigvault_auditor;
