import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets what is done for an address without an account take as long as for one with: a transaction that wrote nothing
 * commits without waiting for the disk, and that wait told the two apart (40 % at "forgot the password"). So the decoys
 * write too, a message to the log of PostgreSQL's own that nobody reads.
 * @see PostgreSQL manual, pg_logical_emit_message
 */
export class EvenOutDecoys implements MigrationInterface {
  readonly name = 'EvenOutDecoys1795305663000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(EVEN);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(BEFORE);
  }
}

const EVEN = `
  SET LOCAL ROLE gigvault_definer;
  CREATE OR REPLACE FUNCTION auth.issue_token(email text, purpose text, token_hash bytea, token_seconds integer) RETURNS TABLE (user_id bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      RETURN QUERY
        INSERT INTO public.one_time_tokens AS t (user_id, purpose, token_hash, expires_at)
        SELECT u.id, issue_token.purpose, issue_token.token_hash, now() + make_interval(secs => issue_token.token_seconds)
        FROM public.users u
        WHERE lower(u.email) = lower(issue_token.email) AND u.is_active
          AND (issue_token.purpose <> 'verify_email' OR NOT u.is_verified)
        RETURNING t.user_id;
      IF NOT FOUND THEN
        PERFORM pg_logical_emit_message(true, 'decoy', repeat(' ', 200));
      END IF;
    END $$;

  CREATE OR REPLACE FUNCTION auth.put_mail(recipient_hash bytea, seal_key uuid, sealed_mail text, is_decoy boolean) RETURNS void
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
  SET LOCAL ROLE gigvault_owner;
`;

const BEFORE = `
  SET LOCAL ROLE gigvault_definer;
  CREATE OR REPLACE FUNCTION auth.issue_token(email text, purpose text, token_hash bytea, token_seconds integer) RETURNS TABLE (user_id bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.one_time_tokens (user_id, purpose, token_hash, expires_at)
      SELECT u.id, issue_token.purpose, issue_token.token_hash, now() + make_interval(secs => issue_token.token_seconds)
      FROM public.users u
      WHERE lower(u.email) = lower(issue_token.email) AND u.is_active
        AND (issue_token.purpose <> 'verify_email' OR NOT u.is_verified)
      RETURNING user_id
    $$;
  CREATE OR REPLACE FUNCTION auth.put_mail(recipient_hash bytea, seal_key uuid, sealed_mail text, is_decoy boolean) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.mail_outbox (recipient_hash, seal_key, sealed_mail)
      SELECT put_mail.recipient_hash, put_mail.seal_key, put_mail.sealed_mail WHERE NOT put_mail.is_decoy
    $$;
  SET LOCAL ROLE gigvault_owner;
`;
