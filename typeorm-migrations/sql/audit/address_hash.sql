CREATE FUNCTION audit.address_hash(log_row audit_logs) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
      SELECT CASE WHEN log_row.ip_address IS NULL THEN log_row.address_hash
        ELSE sha256(substr(log_row.values_salt, 17) || convert_to(host(log_row.ip_address), 'UTF8')) END
    $$;
COMMENT ON FUNCTION audit.address_hash(audit_logs) IS
  'Returns the hash of a row''s address that a seal covers, NULL without one. Erasing the address does not change it.';
GRANT EXECUTE ON FUNCTION audit.address_hash(audit_logs) TO gigvault_app;
ALTER FUNCTION audit.address_hash(audit_logs) OWNER TO gigvault_auditor;
