CREATE FUNCTION app.emails_due() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT EXISTS (SELECT FROM public.email_outbox m WHERE m.status = 'pending' AND m.next_at <= now())
    $$;
COMMENT ON FUNCTION app.emails_due() IS 'Returns true when an email is due.';
GRANT EXECUTE ON FUNCTION app.emails_due() TO gigvault_worker;
ALTER FUNCTION app.emails_due() OWNER TO gigvault_definer;
