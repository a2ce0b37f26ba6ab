-- No text column contains the separator, which also separates the fields of the context, or is empty.
CREATE FUNCTION audit.audit_entry(a audit_logs) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
      SELECT '\x61'::bytea || int8send(a.id) || timestamptz_send(a.created_at) || sha256(
        convert_to(concat(a.user_id, E'\x1f', a.table_name, E'\x1f', a.record_id, E'\x1f', a.action, E'\x1f',
          a.actor_kind, E'\x1f', a.actor_id, E'\x1f', a.request_id, E'\x1f', a.operation, E'\x1f', a.transaction_id),
          'UTF8')
        || '\x1f' || coalesce(audit.values_hash(a), '') || '\x1f' || coalesce(audit.address_hash(a), ''))
    $$;
COMMENT ON FUNCTION audit.audit_entry(audit_logs) IS
  'Returns the entry of a row in the Merkle tree: a, id, created_at in microseconds since 2000-01-01 UTC, and SHA-256 '
  'over the other columns and the hashes of values and address. 49 bytes.';
ALTER FUNCTION audit.audit_entry(audit_logs) OWNER TO gigvault_auditor;
