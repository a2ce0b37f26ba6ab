CREATE FUNCTION app.expire_emails() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      expired bigint := 0;
      email_id bigint;
    BEGIN
      FOR email_id IN
        UPDATE public.email_outbox m
        SET status = 'failed', sealed_email = NULL, ended_at = now(), error = coalesce(m.error, 'expired')
        WHERE m.status = 'pending' AND m.next_at <= now() AND m.expires_at <= now()
          AND (m.lease_until IS NULL OR m.lease_until < now())
        RETURNING m.id
      LOOP
        PERFORM auth.log_event('mail.failed', NULL, false, NULL, NULL,
          jsonb_build_object('mail', email_id, 'code', 'expired'));
        expired := expired + 1;
      END LOOP;
      RETURN expired;
    END $$;
COMMENT ON FUNCTION app.expire_emails() IS
  'Marks expired emails as failed and deletes their content; returns the number.';
GRANT EXECUTE ON FUNCTION app.expire_emails() TO gigvault_worker;
ALTER FUNCTION app.expire_emails() OWNER TO gigvault_definer;
