-- No setting removes younger rows.
CREATE FUNCTION audit.removals() RETURNS TABLE (event_id bigint, log text, before bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN QUERY
      SELECT r.id, r.log, r.before FROM (
        SELECT s.id, s.created_at, s.details ->> 'log' AS log, (s.details ->> 'before')::bigint AS before
        FROM public.security_logs s WHERE s.event_type = 'audit.removed' AND s.user_id IS NULL
      ) AS r
      WHERE timestamptz '2000-01-01 00:00:00+00' + r.before * interval '1 microsecond' <= r.created_at
        - CASE r.log WHEN 'audit' THEN interval '1 year' ELSE interval '30 days' END;
    END $$;
COMMENT ON FUNCTION audit.removals() IS
  'Returns the events, and the times in microseconds since 2000-01-01 UTC, before which rows of a log were deleted or '
  'archived because of their age.';
GRANT EXECUTE ON FUNCTION audit.removals() TO gigvault_worker, gigvault_admin;
ALTER FUNCTION audit.removals() OWNER TO gigvault_auditor;
