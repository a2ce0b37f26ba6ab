CREATE FUNCTION audit.changes(before jsonb, after jsonb) RETURNS TABLE (old_values jsonb, new_values jsonb)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, n.value)
      FROM jsonb_each(before) o JOIN jsonb_each(after) n ON n.key = o.key
      WHERE o.value IS DISTINCT FROM n.value
    $$;
COMMENT ON FUNCTION audit.changes(jsonb, jsonb) IS
  'Returns the values that differ, before and after; NULL without a difference.';
ALTER FUNCTION audit.changes(jsonb, jsonb) OWNER TO gigvault_auditor;
