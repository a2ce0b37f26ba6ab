-- Marks and records in one statement. The email is sent from the record, so it is not lost if the worker dies.
CREATE FUNCTION app.record_reconnect_deliveries(take integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH reported AS (
        UPDATE public.user_tokens t SET reconnect_reported_at = now()
        WHERE t.id IN (
          SELECT i.id FROM public.user_tokens i
          WHERE i.status = 'reconnect_needed' AND i.reconnect_reported_at IS NULL ORDER BY i.id LIMIT take FOR UPDATE SKIP LOCKED
        )
        RETURNING t.user_id, t.provider
      ), recorded AS (
        INSERT INTO public.alert_deliveries (user_id, event_type, payload)
        SELECT r.user_id, 'connection.reconnect_needed', jsonb_build_object('provider', r.provider) FROM reported r
        RETURNING 1
      )
      SELECT count(*) FROM recorded
    $$;
COMMENT ON FUNCTION app.record_reconnect_deliveries(integer) IS
  'Records a letter to each owner of a connection that only he can mend and who was not told; returns how many.';
GRANT EXECUTE ON FUNCTION app.record_reconnect_deliveries(integer) TO gigvault_worker;
ALTER FUNCTION app.record_reconnect_deliveries(integer) OWNER TO gigvault_definer;
