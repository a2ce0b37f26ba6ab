CREATE FUNCTION audit.removals() RETURNS TABLE (log text, before bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN QUERY
      SELECT s.details ->> 'log', (s.details ->> 'before')::bigint FROM public.security_logs s
      WHERE s.event_type = 'audit.removed' AND s.user_id IS NULL;
    END $$;
COMMENT ON FUNCTION audit.removals() IS
  'Returns the times, in microseconds since 2000-01-01 UTC, before which rows of a log were deleted or archived '
  'because of their age.';
GRANT EXECUTE ON FUNCTION audit.removals() TO gigvault_worker, gigvault_admin;
ALTER FUNCTION audit.removals() OWNER TO gigvault_auditor;
