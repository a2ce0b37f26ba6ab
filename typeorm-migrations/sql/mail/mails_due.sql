CREATE FUNCTION app.mails_due() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT EXISTS (SELECT FROM public.mail_outbox m WHERE m.status = 'pending' AND m.next_at <= now())
    $$;
COMMENT ON FUNCTION app.mails_due() IS 'Says whether emails wait to be sent now.';
GRANT EXECUTE ON FUNCTION app.mails_due() TO gigvault_worker;
ALTER FUNCTION app.mails_due() OWNER TO gigvault_definer;
