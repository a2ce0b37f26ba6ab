-- The verification of the logs needs the events of erasures and removals. Rows that are not sealed yet stay.
CREATE FUNCTION app.purge_security_logs(days integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      cutoff CONSTANT timestamptz := now() - make_interval(days => purge_security_logs.days);
      deleted bigint;
    BEGIN
      IF days IS NULL OR days < 30 THEN
        RAISE EXCEPTION 'security events are kept for 30 days at least' USING ERRCODE = 'invalid_parameter_value';
      END IF;
      DELETE FROM public.access_alerts WHERE created_at < cutoff;
      DELETE FROM public.security_logs
      WHERE created_at < cutoff AND event_type NOT IN ('audit.forgotten', 'audit.removed')
        AND id <= (SELECT s.security_floor FROM audit.seals s ORDER BY s.id DESC LIMIT 1);
      GET DIAGNOSTICS deleted = ROW_COUNT;
      IF deleted > 0 THEN
        PERFORM audit.log_removal('security', cutoff);
      END IF;
      RETURN deleted;
    END $$;
COMMENT ON FUNCTION app.purge_security_logs(integer) IS
  'Deletes security events and alerts older than the given number of days; returns the number of deleted events.';
GRANT EXECUTE ON FUNCTION app.purge_security_logs(integer) TO gigvault_worker;
ALTER FUNCTION app.purge_security_logs(integer) OWNER TO gigvault_definer;
