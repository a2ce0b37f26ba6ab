-- An alert about an account goes to its user, an alert about an address to the admins.
CREATE FUNCTION app.access_alerts_to_email(take integer)
    RETURNS TABLE (id bigint, kind text, recipient text, ip_address text, details jsonb, created_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT a.id, a.kind, u.email, host(a.ip_address), a.details, a.created_at
      FROM (SELECT * FROM public.access_alerts WHERE mailed_at IS NULL ORDER BY id LIMIT take) a
      JOIN public.users u
        ON u.id = a.user_id OR (a.user_id IS NULL AND u.role = 'admin' AND u.is_active AND u.is_verified)
      ORDER BY a.id, u.id
    $$;
COMMENT ON FUNCTION app.access_alerts_to_email(integer) IS
  'Returns the alerts that were not emailed yet, one row for each recipient.';
GRANT EXECUTE ON FUNCTION app.access_alerts_to_email(integer) TO gigvault_worker;
ALTER FUNCTION app.access_alerts_to_email(integer) OWNER TO gigvault_definer;
