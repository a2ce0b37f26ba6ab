import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes mail_outbox, where letters go on a server without a mail server. A letter is sealed as a whole, its address and
 * the one-time link in it too; a keyed hash of the address finds it. Letters live 24 hours, as long as the longest link.
 */
export class CreateMailOutbox implements MigrationInterface {
  readonly name = 'CreateMailOutbox1795305631000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE mail_outbox (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT mail_outbox_pkey PRIMARY KEY,
        recipient_hash bytea NOT NULL CONSTRAINT mail_outbox_recipient_hash_length CHECK (octet_length(recipient_hash) = 32),
        seal_key uuid NOT NULL,
        sealed_mail text NOT NULL CONSTRAINT mail_outbox_sealed_mail_length CHECK (char_length(sealed_mail) BETWEEN 1 AND 100000),
        created_at timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON COLUMN mail_outbox.seal_key IS 'Made by the server; bound into the ciphertext, so none can be moved to another row.';
      CREATE INDEX idx_mail_outbox_recipient_hash ON mail_outbox (recipient_hash, id DESC);
      CREATE INDEX idx_mail_outbox_created_at ON mail_outbox (created_at);

      ALTER TABLE mail_outbox ENABLE ROW LEVEL SECURITY;
      ALTER TABLE mail_outbox FORCE ROW LEVEL SECURITY;
      CREATE POLICY mail_outbox_admin_select ON mail_outbox FOR SELECT TO gigvault_admin USING (true);
      CREATE POLICY mail_outbox_definer_select ON mail_outbox FOR SELECT TO gigvault_definer USING (true);
      CREATE POLICY mail_outbox_definer_insert ON mail_outbox FOR INSERT TO gigvault_definer WITH CHECK (true);
      CREATE POLICY mail_outbox_definer_delete ON mail_outbox FOR DELETE TO gigvault_definer USING (true);
      GRANT SELECT ON mail_outbox TO gigvault_admin;
      GRANT SELECT, INSERT, DELETE ON mail_outbox TO gigvault_definer;

      CREATE FUNCTION auth.put_mail(recipient_hash bytea, seal_key uuid, sealed_mail text, is_decoy boolean) RETURNS void
        LANGUAGE sql SECURITY DEFINER
        SET search_path = pg_catalog
        AS $$
          INSERT INTO public.mail_outbox (recipient_hash, seal_key, sealed_mail)
          SELECT put_mail.recipient_hash, put_mail.seal_key, put_mail.sealed_mail WHERE NOT put_mail.is_decoy
        $$;
      COMMENT ON FUNCTION auth.put_mail(bytea, uuid, text, boolean) IS 'Stores a sealed letter; a decoy takes the same way and is not kept.';

      CREATE FUNCTION app.purge_mail_outbox() RETURNS bigint
        LANGUAGE sql SECURITY DEFINER
        SET search_path = pg_catalog
        AS $$
          WITH gone AS (DELETE FROM public.mail_outbox WHERE created_at < now() - interval '24 hours' RETURNING 1)
          SELECT count(*) FROM gone
        $$;
      COMMENT ON FUNCTION app.purge_mail_outbox() IS 'Removes letters older than 24 hours; returns how many.';

      GRANT EXECUTE ON FUNCTION auth.put_mail(bytea, uuid, text, boolean) TO gigvault_auth;
      GRANT EXECUTE ON FUNCTION app.purge_mail_outbox() TO gigvault_worker;
      ALTER FUNCTION auth.put_mail(bytea, uuid, text, boolean) OWNER TO gigvault_definer;
      ALTER FUNCTION app.purge_mail_outbox() OWNER TO gigvault_definer;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.purge_mail_outbox();
      DROP FUNCTION auth.put_mail(bytea, uuid, text, boolean);
      DROP TABLE mail_outbox;
    `);
  }
}
