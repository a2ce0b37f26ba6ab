-- This function and audit.changes() have no search_path of their own: setting one costs more than their work, and their
-- callers have fixed it. This one is PL/pgSQL, which keeps its plans; an SQL function that cannot be inlined is planned
-- at every call (50 µs each here).
CREATE FUNCTION audit.redact(row_values jsonb, secrets text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
    BEGIN
      IF row_values ?| secrets THEN
        RETURN (
          SELECT jsonb_object_agg(key, CASE WHEN key = ANY (secrets) AND value <> 'null' THEN '"[redacted]"' ELSE value END)
          FROM jsonb_each(row_values)
        );
      END IF;
      RETURN row_values;
    END $$;
COMMENT ON FUNCTION audit.redact(jsonb, text[]) IS
  'The values with those of secret columns blackened; NULL stays NULL.';
ALTER FUNCTION audit.redact(jsonb, text[]) OWNER TO gigvault_auditor;
