import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates email_outbox, from which every email is sent. An email is sealed as a whole, its address and the one-time link
 * in it too; a keyed hash of the address finds it.
 *
 * 'local' is the outbox of a server without a mail server; such emails live 24 hours, as long as the longest link. With
 * a mail server an email is 'pending' until a task has sent it or given it up. Then its content is deleted, and the
 * rest of the row says when and why. A claim is a lease: if a worker dies, another takes over and may send the email
 * twice.
 */
export class Email implements MigrationInterface {
  readonly name = 'Email1795305906000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await createFunctions(queryRunner, 'email', [
      ...['enqueue_email', 'emails_due', 'expire_emails', 'claim_email', 'finish_email', 'purge_email_outbox'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        app.purge_email_outbox(),
        app.finish_email(bigint, uuid, text, double precision),
        app.claim_email(uuid, integer, integer),
        app.expire_emails(),
        app.emails_due(),
        auth.enqueue_email(bytea, bytea, uuid, text, boolean, integer);
      DROP TABLE email_outbox;
    `);
  }
}

const TABLE = `
  CREATE TABLE email_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT email_outbox_pkey PRIMARY KEY,
    recipient_hash bytea NOT NULL
      CONSTRAINT email_outbox_recipient_hash_length CHECK (octet_length(recipient_hash) = 32),
    seal_key uuid NOT NULL,
    sealed_email text
      CONSTRAINT email_outbox_sealed_email_length CHECK (char_length(sealed_email) BETWEEN 1 AND 100000),
    created_at timestamptz NOT NULL DEFAULT now(),
    status text NOT NULL DEFAULT 'local'
      CONSTRAINT email_outbox_status_known CHECK (status IN ('local', 'pending', 'sent', 'failed')),
    domain_hash bytea CONSTRAINT email_outbox_domain_hash_length CHECK (octet_length(domain_hash) = 32),
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz,
    expires_at timestamptz,
    lease_owner uuid,
    lease_until timestamptz,
    ended_at timestamptz,
    error text CONSTRAINT email_outbox_error_length CHECK (char_length(error) <= 100),
    CONSTRAINT email_outbox_content CHECK ((sealed_email IS NULL) = (status IN ('sent', 'failed')))
  );
  COMMENT ON COLUMN email_outbox.seal_key IS
    'Made by the server; bound into the ciphertext, so none can be moved to another row.';
  COMMENT ON COLUMN email_outbox.domain_hash IS
    'Keyed hash of the domain of the recipient: one slow domain does not hold up the others.';
  CREATE INDEX idx_email_outbox_recipient_hash ON email_outbox (recipient_hash, id DESC);
  CREATE INDEX idx_email_outbox_created_at ON email_outbox (created_at);
  CREATE INDEX idx_email_outbox_next_at ON email_outbox (next_at) WHERE status = 'pending';
  CREATE INDEX idx_email_outbox_leases ON email_outbox (domain_hash)
    WHERE status = 'pending' AND lease_until IS NOT NULL;

  ALTER TABLE email_outbox ENABLE ROW LEVEL SECURITY;
  ALTER TABLE email_outbox FORCE ROW LEVEL SECURITY;
  CREATE POLICY email_outbox_admin_select ON email_outbox FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY email_outbox_definer_select ON email_outbox FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY email_outbox_definer_insert ON email_outbox FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY email_outbox_definer_update ON email_outbox FOR UPDATE TO gigvault_definer
    USING (true) WITH CHECK (true);
  CREATE POLICY email_outbox_definer_delete ON email_outbox FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT ON email_outbox TO gigvault_admin;
  GRANT SELECT, INSERT, UPDATE, DELETE ON email_outbox TO gigvault_definer;
`;
