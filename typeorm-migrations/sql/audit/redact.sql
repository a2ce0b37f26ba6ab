-- This function and audit.changes() set no search_path: that costs more than their work, and their callers have set it.
-- PL/pgSQL keeps its plans; an SQL function that cannot be inlined is planned at every call (50 µs here).
CREATE FUNCTION audit.redact(row_values jsonb, secrets text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
    BEGIN
      IF row_values ?| secrets THEN
        RETURN (
          SELECT jsonb_object_agg(
            key, CASE WHEN key = ANY (secrets) AND value <> 'null' THEN '"[redacted]"' ELSE value END)
          FROM jsonb_each(row_values)
        );
      END IF;
      RETURN row_values;
    END $$;
COMMENT ON FUNCTION audit.redact(jsonb, text[]) IS
  'Returns the values with those of secret columns replaced by "[redacted]". NULL stays NULL.';
ALTER FUNCTION audit.redact(jsonb, text[]) OWNER TO gigvault_auditor;
