CREATE FUNCTION app.claim_email(owner uuid, lease_seconds integer, per_domain integer)
    RETURNS TABLE (id bigint, seal_key uuid, sealed_email text, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      -- Concurrent claims would not see each other's leases and could exceed the limit of a domain.
      PERFORM pg_advisory_xact_lock(hashtextextended('email_outbox', 0));
      RETURN QUERY
        UPDATE public.email_outbox c
        SET lease_owner = owner, lease_until = now() + make_interval(secs => lease_seconds), attempts = c.attempts + 1
        WHERE c.id = (
          SELECT m.id FROM public.email_outbox m
          WHERE m.status = 'pending' AND m.next_at <= now() AND m.expires_at > now()
            AND (m.lease_until IS NULL OR m.lease_until < now())
            AND per_domain > (
              SELECT count(*) FROM public.email_outbox l
              WHERE l.status = 'pending' AND l.domain_hash = m.domain_hash AND l.lease_until > now())
          ORDER BY m.next_at LIMIT 1)
        RETURNING c.id, c.seal_key, c.sealed_email, c.attempts;
    END $$;
COMMENT ON FUNCTION app.claim_email(uuid, integer, integer) IS
  'Leases the email that has been due longest, among domains with fewer than per_domain leases.';
GRANT EXECUTE ON FUNCTION app.claim_email(uuid, integer, integer) TO gigvault_worker;
ALTER FUNCTION app.claim_email(uuid, integer, integer) OWNER TO gigvault_definer;
