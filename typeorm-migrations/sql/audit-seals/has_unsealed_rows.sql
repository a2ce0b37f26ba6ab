-- The floor rises to an id when each row up to it is sealed.
CREATE FUNCTION audit.has_unsealed_rows(log text, from_time timestamptz, until_time timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      last record;
    BEGIN
      SELECT s.audit_floor, s.security_floor INTO last FROM audit.seals s ORDER BY s.id DESC LIMIT 1;
      RETURN CASE log
        WHEN 'audit' THEN EXISTS (
          SELECT FROM public.audit_logs a WHERE a.created_at >= from_time AND a.created_at < until_time
            AND a.id > coalesce(last.audit_floor, 0))
        WHEN 'security' THEN EXISTS (
          SELECT FROM public.security_logs s WHERE s.created_at >= from_time AND s.created_at < until_time
            AND s.id > coalesce(last.security_floor, 0))
      END;
    END $$;
COMMENT ON FUNCTION audit.has_unsealed_rows(text, timestamptz, timestamptz) IS
  'Returns whether a log (audit or security) has rows in a range of times that are not known to be sealed.';
ALTER FUNCTION audit.has_unsealed_rows(text, timestamptz, timestamptz) OWNER TO gigvault_auditor;
SET LOCAL ROLE gigvault_auditor;
GRANT EXECUTE ON FUNCTION audit.has_unsealed_rows(text, timestamptz, timestamptz) TO gigvault_owner;
SET LOCAL ROLE gigvault_owner;
