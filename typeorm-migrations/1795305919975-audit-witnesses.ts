import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates the records of witnesses (C2SP tlog-witness): the heads of this log that others have cosigned, and the newest
 * heads of other logs that this installation has cosigned. The owner of the tables can delete rows, and cannot sign.
 */
export class AuditWitnesses implements MigrationInterface {
  readonly name = 'AuditWitnesses1795305919975';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await createFunctions(queryRunner, 'audit-witnesses', ['find_witnessed_log', 'store_witnessed_log']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        auth.store_witnessed_log(text, bigint, bytea, bigint, bytea, text),
        auth.find_witnessed_log(text);
      DROP TABLE audit.witnessed_logs, audit.cosignatures;
    `);
  }
}

const TABLES = `
  CREATE TABLE audit.cosignatures (
    tree_size bigint,
    witness text,
    checkpoint text NOT NULL,
    cosignature text NOT NULL,
    cosigned_at timestamptz NOT NULL,
    CONSTRAINT cosignatures_pkey PRIMARY KEY (tree_size, witness)
  );
  COMMENT ON TABLE audit.cosignatures IS 'The heads of the log that witnesses have cosigned.';
  COMMENT ON COLUMN audit.cosignatures.witness IS 'The public key of the witness, as C2SP signed-note defines it.';
  COMMENT ON COLUMN audit.cosignatures.checkpoint IS 'The head as the log signed it: a signed note.';
  COMMENT ON COLUMN audit.cosignatures.cosignature IS
    'The line that the witness adds to the note, as C2SP tlog-cosignature defines it.';

  CREATE TABLE audit.witnessed_logs (
    origin text CONSTRAINT witnessed_logs_pkey PRIMARY KEY,
    tree_size bigint NOT NULL,
    root_hash bytea NOT NULL CONSTRAINT witnessed_logs_root_hash_length CHECK (octet_length(root_hash) = 32),
    checkpoint text NOT NULL,
    cosigned_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  COMMENT ON TABLE audit.witnessed_logs IS 'The newest head of each other log that this installation has cosigned.';
  COMMENT ON COLUMN audit.witnessed_logs.checkpoint IS
    'The head, signed by its log and cosigned by this installation: a signed note.';

  ALTER TABLE audit.cosignatures ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.cosignatures FORCE ROW LEVEL SECURITY;
  ALTER TABLE audit.witnessed_logs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.witnessed_logs FORCE ROW LEVEL SECURITY;
  CREATE POLICY cosignatures_system_select ON audit.cosignatures FOR SELECT TO gigvault_worker, gigvault_admin
    USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY cosignatures_worker_insert ON audit.cosignatures
    FOR INSERT TO gigvault_worker WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY witnessed_logs_system_select ON audit.witnessed_logs FOR SELECT TO gigvault_admin, gigvault_definer
    USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY witnessed_logs_definer_insert ON audit.witnessed_logs
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY witnessed_logs_definer_update ON audit.witnessed_logs FOR UPDATE TO gigvault_definer
    USING (EXISTS (SELECT FROM auth.signed_session)) WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON audit.cosignatures TO gigvault_worker, gigvault_admin;
  GRANT INSERT ON audit.cosignatures TO gigvault_worker;
  GRANT SELECT ON audit.witnessed_logs TO gigvault_admin, gigvault_definer;
  GRANT INSERT ON audit.witnessed_logs TO gigvault_definer;
  GRANT UPDATE (tree_size, root_hash, checkpoint, cosigned_at) ON audit.witnessed_logs TO gigvault_definer;
`;
