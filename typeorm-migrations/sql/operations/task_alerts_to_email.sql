CREATE FUNCTION auth.task_alerts_to_email()
    RETURNS TABLE (id bigint, task text, kind text, reason text, created_at timestamptz, recipient text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH taken AS (
        UPDATE public.task_alerts a SET mailed_at = now() WHERE a.mailed_at IS NULL AND a.cleared_at IS NULL
        RETURNING a.id, a.task, a.kind, a.reason, a.created_at
      )
      SELECT t.id, t.task, t.kind, t.reason, t.created_at, u.email
      FROM taken t JOIN public.users u ON u.role = 'admin' AND u.is_active AND u.is_verified
      ORDER BY t.id, u.id
    $$;
COMMENT ON FUNCTION auth.task_alerts_to_email() IS
  'Marks open alerts as emailed and returns them, one row for each admin. Of several processes one gets an alert.';
GRANT EXECUTE ON FUNCTION auth.task_alerts_to_email() TO gigvault_auth;
ALTER FUNCTION auth.task_alerts_to_email() OWNER TO gigvault_definer;
