-- A line feed never occurs in the text of jsonb, so it separates the two values.
CREATE FUNCTION audit.values_hash(log_row audit_logs) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT coalesce(log_row.values_hash, sha256(log_row.values_salt || convert_to(
        coalesce(log_row.old_values::text, '') || E'\n' || coalesce(log_row.new_values::text, ''), 'UTF8')))
    $$;
COMMENT ON FUNCTION audit.values_hash(audit_logs) IS
  'What a seal covers of the values of a row: the same before and after they are forgotten.';
ALTER FUNCTION audit.values_hash(audit_logs) OWNER TO gigvault_auditor;
