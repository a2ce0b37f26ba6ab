-- Shares the worker between tenants, as app.syncs_due() does.
CREATE FUNCTION app.undecided_messages_due(take integer) RETURNS TABLE (user_id bigint, message_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT m.user_id, m.id FROM public.messages m
      JOIN public.users u ON u.id = m.user_id
      WHERE m.delivery IN ('sending', 'unknown') AND m.next_check_at <= now() AND u.is_active
      ORDER BY row_number() OVER (PARTITION BY m.user_id ORDER BY m.next_check_at), m.next_check_at LIMIT take
    $$;
COMMENT ON FUNCTION app.undecided_messages_due(integer) IS
  'Returns the replies whose rooms must be searched, because no answer of Upwork arrived.';
GRANT EXECUTE ON FUNCTION app.undecided_messages_due(integer) TO gigvault_worker;
ALTER FUNCTION app.undecided_messages_due(integer) OWNER TO gigvault_definer;
