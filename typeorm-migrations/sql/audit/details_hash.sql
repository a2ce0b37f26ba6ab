-- The text of an address and of jsonb contains no line feed.
CREATE FUNCTION audit.details_hash(event security_logs) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
      SELECT coalesce(event.details_hash, sha256(event.details_salt || convert_to(
        concat(host(event.ip_address), E'\n', event.details, E'\n', event.user_agent), 'UTF8')))
    $$;
COMMENT ON FUNCTION audit.details_hash(security_logs) IS
  'Returns the hash of an event''s address, user agent and details that a seal covers. Erasing them '
  'does not change it.';
ALTER FUNCTION audit.details_hash(security_logs) OWNER TO gigvault_auditor;
