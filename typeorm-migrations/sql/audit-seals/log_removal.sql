CREATE FUNCTION audit.log_removal(log text, before timestamptz) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog
    AS $$
      SELECT auth.log_audit_event('audit.removed', NULL, jsonb_build_object('log', log, 'before',
        (extract(epoch FROM before - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint))
    $$;
COMMENT ON FUNCTION audit.log_removal(text, timestamptz) IS
  'Logs that rows of a log from before a time were deleted or archived because of their age; see audit.removals().';
GRANT EXECUTE ON FUNCTION audit.log_removal(text, timestamptz) TO gigvault_definer, gigvault_owner;
