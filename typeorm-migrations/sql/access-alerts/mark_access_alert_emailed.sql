CREATE FUNCTION app.mark_access_alert_emailed(alert_id bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$ UPDATE public.access_alerts a SET mailed_at = now() WHERE a.id = alert_id $$;
COMMENT ON FUNCTION app.mark_access_alert_emailed(bigint) IS 'Records that an alert was emailed.';
GRANT EXECUTE ON FUNCTION app.mark_access_alert_emailed(bigint) TO gigvault_worker;
ALTER FUNCTION app.mark_access_alert_emailed(bigint) OWNER TO gigvault_definer;
