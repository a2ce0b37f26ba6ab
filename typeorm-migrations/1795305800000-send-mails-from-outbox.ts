import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes mail_outbox the place every email is sent from. 'local' is the outbox of a server without a mail server, as
 * before. With one, an email is 'pending' until a task has sent it or given it up; then its content is deleted, and what
 * is kept says when and why. A claim is a lease: a worker that dies is followed by another, which may send twice.
 */
export class SendMailsFromOutbox implements MigrationInterface {
  readonly name = 'SendMailsFromOutbox1795305800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await queryRunner.query(STORE);
    await queryRunner.query(SEND);
    await queryRunner.query(PURGE);
    await queryRunner.query(OWNERS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION auth.enqueue_mail(bytea, bytea, uuid, text, boolean, integer);
      DROP FUNCTION app.mails_due();
      DROP FUNCTION app.expire_mails();
      DROP FUNCTION app.claim_mail(uuid, integer, integer);
      DROP FUNCTION app.end_mail(bigint, uuid, text, double precision);
      DELETE FROM mail_outbox WHERE status <> 'local';
      DROP POLICY mail_outbox_definer_update ON mail_outbox;
      REVOKE UPDATE ON mail_outbox FROM gigvault_definer;
      ALTER TABLE mail_outbox
        DROP CONSTRAINT mail_outbox_content, DROP COLUMN status, DROP COLUMN domain_hash, DROP COLUMN attempts,
        DROP COLUMN next_at, DROP COLUMN expires_at, DROP COLUMN lease_owner, DROP COLUMN lease_until, DROP COLUMN ended_at,
        DROP COLUMN error, ALTER COLUMN sealed_mail SET NOT NULL;
    `);
    await queryRunner.query(BEFORE);
  }
}

const TABLE = `
  ALTER TABLE mail_outbox
    ADD COLUMN status text NOT NULL DEFAULT 'local' CONSTRAINT mail_outbox_status_known CHECK (status IN ('local', 'pending', 'sent', 'failed')),
    ADD COLUMN domain_hash bytea CONSTRAINT mail_outbox_domain_hash_length CHECK (octet_length(domain_hash) = 32),
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN next_at timestamptz,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN lease_owner uuid,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN error text CONSTRAINT mail_outbox_error_length CHECK (char_length(error) <= 100),
    ALTER COLUMN sealed_mail DROP NOT NULL,
    ADD CONSTRAINT mail_outbox_content CHECK ((sealed_mail IS NULL) = (status IN ('sent', 'failed')));
  COMMENT ON COLUMN mail_outbox.domain_hash IS 'Keyed hash of the domain of the recipient: one slow domain does not hold up the others.';
  CREATE INDEX idx_mail_outbox_next_at ON mail_outbox (next_at) WHERE status = 'pending';
  CREATE INDEX idx_mail_outbox_leases ON mail_outbox (domain_hash) WHERE status = 'pending' AND lease_until IS NOT NULL;
  CREATE POLICY mail_outbox_definer_update ON mail_outbox FOR UPDATE TO gigvault_definer USING (true) WITH CHECK (true);
  GRANT UPDATE ON mail_outbox TO gigvault_definer;
`;

const STORE = `
  DROP FUNCTION auth.put_mail(bytea, uuid, text, boolean);
  CREATE FUNCTION auth.enqueue_mail(
    recipient_hash bytea, domain_hash bytea, seal_key uuid, sealed_mail text, is_decoy boolean, lifetime_seconds integer
  ) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      IF is_decoy THEN
        PERFORM pg_logical_emit_message(true, 'decoy', repeat(' ', octet_length(sealed_mail)));
      ELSIF lifetime_seconds IS NULL THEN
        INSERT INTO public.mail_outbox (recipient_hash, seal_key, sealed_mail)
        VALUES (enqueue_mail.recipient_hash, enqueue_mail.seal_key, enqueue_mail.sealed_mail);
      ELSE
        INSERT INTO public.mail_outbox (recipient_hash, domain_hash, seal_key, sealed_mail, status, next_at, expires_at)
        VALUES (enqueue_mail.recipient_hash, enqueue_mail.domain_hash, enqueue_mail.seal_key, enqueue_mail.sealed_mail,
          'pending', now(), now() + make_interval(secs => lifetime_seconds));
      END IF;
    END $$;
  COMMENT ON FUNCTION auth.enqueue_mail(bytea, bytea, uuid, text, boolean, integer) IS
    'Stores a sealed email to be sent within its lifetime, or for the local outbox without one; a decoy takes the same way and is not kept.';
  GRANT EXECUTE ON FUNCTION auth.enqueue_mail(bytea, bytea, uuid, text, boolean, integer) TO gigvault_auth;
`;

const SEND = `
  CREATE FUNCTION app.mails_due() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT EXISTS (SELECT FROM public.mail_outbox m WHERE m.status = 'pending' AND m.next_at <= now())
    $$;
  COMMENT ON FUNCTION app.mails_due() IS 'Says whether emails wait to be sent now.';

  CREATE FUNCTION app.expire_mails() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE expired bigint := 0; mail bigint;
    BEGIN
      FOR mail IN
        UPDATE public.mail_outbox m
        SET status = 'failed', sealed_mail = NULL, ended_at = now(), error = coalesce(m.error, 'expired')
        WHERE m.status = 'pending' AND m.next_at <= now() AND m.expires_at <= now() AND (m.lease_until IS NULL OR m.lease_until < now())
        RETURNING m.id
      LOOP
        PERFORM auth.log_event('mail.failed', NULL, false, NULL, NULL, jsonb_build_object('mail', mail, 'code', 'expired'));
        expired := expired + 1;
      END LOOP;
      RETURN expired;
    END $$;
  COMMENT ON FUNCTION app.expire_mails() IS 'Gives up emails whose time is over, deletes their content and returns how many.';

  CREATE FUNCTION app.claim_mail(owner uuid, lease_seconds integer, per_domain integer)
    RETURNS TABLE (id bigint, seal_key uuid, sealed_mail text, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      -- Claims at the same moment would not see each other's leases, and pass the limit of a domain.
      PERFORM pg_advisory_xact_lock(hashtextextended('mail_outbox', 0));
      RETURN QUERY
        UPDATE public.mail_outbox c
        SET lease_owner = owner, lease_until = now() + make_interval(secs => lease_seconds), attempts = c.attempts + 1
        WHERE c.id = (
          SELECT m.id FROM public.mail_outbox m
          WHERE m.status = 'pending' AND m.next_at <= now() AND m.expires_at > now() AND (m.lease_until IS NULL OR m.lease_until < now())
            AND per_domain > (
              SELECT count(*) FROM public.mail_outbox l
              WHERE l.status = 'pending' AND l.domain_hash = m.domain_hash AND l.lease_until > now())
          ORDER BY m.next_at LIMIT 1)
        RETURNING c.id, c.seal_key, c.sealed_mail, c.attempts;
    END $$;
  COMMENT ON FUNCTION app.claim_mail(uuid, integer, integer) IS
    'Leases the email that has been due longest, of a domain with fewer leases than per_domain.';

  CREATE FUNCTION app.end_mail(mail bigint, owner uuid, failure text, pause_seconds double precision) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE outcome text;
    BEGIN
      UPDATE public.mail_outbox m
      SET status = n.status, error = failure, lease_owner = NULL, lease_until = NULL,
        sealed_mail = CASE WHEN n.status = 'pending' THEN m.sealed_mail END,
        ended_at = CASE WHEN n.status <> 'pending' THEN now() END,
        next_at = CASE WHEN n.status = 'pending' THEN now() + make_interval(secs => pause_seconds) ELSE m.next_at END
      FROM (
        SELECT p.id, CASE
          WHEN failure IS NULL THEN 'sent'
          WHEN now() + make_interval(secs => pause_seconds) < p.expires_at THEN 'pending'
          ELSE 'failed' END AS status
        FROM public.mail_outbox p WHERE p.id = mail AND p.status = 'pending' AND p.lease_owner = owner
      ) n
      WHERE m.id = n.id
      RETURNING m.status INTO outcome;
      IF outcome = 'failed' THEN
        PERFORM auth.log_event('mail.failed', NULL, false, NULL, NULL, jsonb_build_object('mail', mail, 'code', failure));
      END IF;
      RETURN outcome;
    END $$;
  COMMENT ON FUNCTION app.end_mail(bigint, uuid, text, double precision) IS
    'Ends an attempt: without a failure the email is sent; with a pause it is tried again within its lifetime, else given up. Returns the status, NULL for another owner.';

  GRANT EXECUTE ON FUNCTION app.mails_due(), app.expire_mails(), app.claim_mail(uuid, integer, integer),
    app.end_mail(bigint, uuid, text, double precision) TO gigvault_worker;
`;

const PURGE = `
  SET LOCAL ROLE gigvault_definer;
  CREATE OR REPLACE FUNCTION app.purge_mail_outbox() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH gone AS (
        DELETE FROM public.mail_outbox
        WHERE (status = 'local' AND created_at < now() - interval '24 hours')
           OR (status IN ('sent', 'failed') AND ended_at < now() - interval '30 days')
        RETURNING 1)
      SELECT count(*) FROM gone
    $$;
  COMMENT ON FUNCTION app.purge_mail_outbox() IS 'Removes local emails older than 24 hours and the records of others 30 days after their end; returns how many.';
  SET LOCAL ROLE gigvault_owner;
`;

const OWNERS = `
  ALTER FUNCTION auth.enqueue_mail(bytea, bytea, uuid, text, boolean, integer) OWNER TO gigvault_definer;
  ALTER FUNCTION app.mails_due() OWNER TO gigvault_definer;
  ALTER FUNCTION app.expire_mails() OWNER TO gigvault_definer;
  ALTER FUNCTION app.claim_mail(uuid, integer, integer) OWNER TO gigvault_definer;
  ALTER FUNCTION app.end_mail(bigint, uuid, text, double precision) OWNER TO gigvault_definer;
`;

const BEFORE = `
  CREATE FUNCTION auth.put_mail(recipient_hash bytea, seal_key uuid, sealed_mail text, is_decoy boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      IF is_decoy THEN
        PERFORM pg_logical_emit_message(true, 'decoy', repeat(' ', octet_length(sealed_mail)));
      ELSE
        INSERT INTO public.mail_outbox (recipient_hash, seal_key, sealed_mail)
        VALUES (put_mail.recipient_hash, put_mail.seal_key, put_mail.sealed_mail);
      END IF;
    END $$;
  COMMENT ON FUNCTION auth.put_mail(bytea, uuid, text, boolean) IS 'Stores a sealed letter; a decoy takes the same way and is not kept.';
  GRANT EXECUTE ON FUNCTION auth.put_mail(bytea, uuid, text, boolean) TO gigvault_auth;
  ALTER FUNCTION auth.put_mail(bytea, uuid, text, boolean) OWNER TO gigvault_definer;

  SET LOCAL ROLE gigvault_definer;
  CREATE OR REPLACE FUNCTION app.purge_mail_outbox() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
          WITH gone AS (DELETE FROM public.mail_outbox WHERE created_at < now() - interval '24 hours' RETURNING 1)
          SELECT count(*) FROM gone
        $$;
  COMMENT ON FUNCTION app.purge_mail_outbox() IS 'Removes letters older than 24 hours; returns how many.';
  SET LOCAL ROLE gigvault_owner;
`;
