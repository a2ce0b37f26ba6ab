CREATE FUNCTION app.finish_email(email_id bigint, owner uuid, failure text, pause_seconds double precision)
    RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      outcome text;
    BEGIN
      UPDATE public.email_outbox m
      SET status = n.status, error = failure, lease_owner = NULL, lease_until = NULL,
        sealed_email = CASE WHEN n.status = 'pending' THEN m.sealed_email END,
        ended_at = CASE WHEN n.status <> 'pending' THEN now() END,
        next_at = CASE WHEN n.status = 'pending' THEN now() + make_interval(secs => pause_seconds) ELSE m.next_at END
      FROM (
        SELECT p.id, CASE
          WHEN failure IS NULL THEN 'sent'
          WHEN now() + make_interval(secs => pause_seconds) < p.expires_at THEN 'pending'
          ELSE 'failed' END AS status
        FROM public.email_outbox p WHERE p.id = email_id AND p.status = 'pending' AND p.lease_owner = owner
      ) n
      WHERE m.id = n.id
      RETURNING m.status INTO outcome;
      IF outcome = 'failed' THEN
        PERFORM auth.log_event('mail.failed', NULL, false, NULL, NULL,
          jsonb_build_object('mail', email_id, 'code', failure));
      END IF;
      RETURN outcome;
    END $$;
COMMENT ON FUNCTION app.finish_email(bigint, uuid, text, double precision) IS
  'Records the end of an attempt. Without a failure the email is sent. With one it is tried again after the pause; '
  'past its lifetime it has failed. Returns the status, NULL for another owner.';
GRANT EXECUTE ON FUNCTION app.finish_email(bigint, uuid, text, double precision) TO gigvault_worker;
ALTER FUNCTION app.finish_email(bigint, uuid, text, double precision) OWNER TO gigvault_definer;
