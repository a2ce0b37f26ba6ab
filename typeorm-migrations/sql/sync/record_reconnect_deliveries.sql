-- Marks the connections and records the deliveries in one statement, so no email is lost if the worker dies.
CREATE FUNCTION app.record_reconnect_deliveries(take integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH reported AS (
        UPDATE public.user_tokens t SET reconnect_reported_at = now()
        WHERE t.id IN (
          SELECT i.id FROM public.user_tokens i
          WHERE i.status = 'reconnect_needed' AND i.reconnect_reported_at IS NULL
          ORDER BY i.id LIMIT take FOR UPDATE SKIP LOCKED
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
  'Records an email to the owner of each connection that must be reconnected, once. Returns the number.';
GRANT EXECUTE ON FUNCTION app.record_reconnect_deliveries(integer) TO gigvault_worker;
ALTER FUNCTION app.record_reconnect_deliveries(integer) OWNER TO gigvault_definer;
