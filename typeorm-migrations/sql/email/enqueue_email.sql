-- A decoy writes as many bytes as an email, for the reason given at auth.issue_token().
CREATE FUNCTION auth.enqueue_email(
  recipient_hash bytea, domain_hash bytea, seal_key uuid, sealed_email text, is_decoy boolean, lifetime_seconds integer
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      IF is_decoy THEN
        PERFORM pg_logical_emit_message(true, 'decoy', repeat(' ', octet_length(sealed_email)));
      ELSIF lifetime_seconds IS NULL THEN
        INSERT INTO public.email_outbox (recipient_hash, seal_key, sealed_email)
        VALUES (enqueue_email.recipient_hash, enqueue_email.seal_key, enqueue_email.sealed_email);
      ELSE
        INSERT INTO public.email_outbox
          (recipient_hash, domain_hash, seal_key, sealed_email, status, next_at, expires_at)
        VALUES (enqueue_email.recipient_hash, enqueue_email.domain_hash, enqueue_email.seal_key,
          enqueue_email.sealed_email, 'pending', now(), now() + make_interval(secs => lifetime_seconds));
      END IF;
    END $$;
COMMENT ON FUNCTION auth.enqueue_email(bytea, bytea, uuid, text, boolean, integer) IS
  'Stores a sealed email to be sent within its lifetime; without a lifetime it goes to the local outbox. A decoy takes '
  'as long and stores nothing.';
GRANT EXECUTE ON FUNCTION auth.enqueue_email(bytea, bytea, uuid, text, boolean, integer) TO gigvault_auth;
ALTER FUNCTION auth.enqueue_email(bytea, bytea, uuid, text, boolean, integer) OWNER TO gigvault_definer;
