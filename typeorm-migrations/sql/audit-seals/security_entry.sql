CREATE FUNCTION audit.security_entry(s security_logs) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
      SELECT '\x73'::bytea || int8send(s.id) || timestamptz_send(s.created_at) || sha256(
        convert_to(concat(s.user_id, E'\x1f', s.event_type, E'\x1f', s.success, E'\x1f', s.transaction_id), 'UTF8')
        || '\x1f' || coalesce(audit.details_hash(s), ''))
    $$;
COMMENT ON FUNCTION audit.security_entry(security_logs) IS
  'Returns the entry of an event in the Merkle tree: s, id, created_at in microseconds since 2000-01-01 UTC, and '
  'SHA-256 over the other columns and the hash of the details. 49 bytes.';
ALTER FUNCTION audit.security_entry(security_logs) OWNER TO gigvault_auditor;
