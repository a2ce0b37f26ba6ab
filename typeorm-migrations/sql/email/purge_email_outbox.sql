CREATE FUNCTION app.purge_email_outbox() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH deleted AS (
        DELETE FROM public.email_outbox
        WHERE (status = 'local' AND created_at < now() - interval '24 hours')
           OR (status IN ('sent', 'failed') AND ended_at < now() - interval '30 days')
        RETURNING 1)
      SELECT count(*) FROM deleted
    $$;
COMMENT ON FUNCTION app.purge_email_outbox() IS
  'Deletes local emails after 24 hours, and the records of others 30 days after their end. Returns the number.';
GRANT EXECUTE ON FUNCTION app.purge_email_outbox() TO gigvault_worker;
ALTER FUNCTION app.purge_email_outbox() OWNER TO gigvault_definer;
