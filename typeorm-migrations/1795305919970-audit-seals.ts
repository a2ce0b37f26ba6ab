import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates the seals of audit_logs and security_logs: a Merkle tree (RFC 6962) whose entries are hashes of their rows,
 * and whose heads are signed outside of the database. The owner of the tables can change each of them, and cannot sign.
 */
export class AuditSeals implements MigrationInterface {
  readonly name = 'AuditSeals1795305919970';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await queryRunner.query(VERIFICATIONS);
    await queryRunner.query('GRANT CREATE ON SCHEMA audit TO gigvault_auditor');
    await createFunctions(queryRunner, 'audit-seals', [
      ...['begin_seal', 'audit_entry', 'security_entry', 'log_entries', 'store_seal', 'check_entries', 'removals'],
      ...['log_removal', 'find_leaf', 'has_unsealed_rows'],
    ]);
    await queryRunner.query('REVOKE CREATE ON SCHEMA audit FROM gigvault_auditor');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        audit.has_unsealed_rows(text, timestamptz, timestamptz),
        audit.find_leaf(bigint),
        audit.log_removal(text, timestamptz),
        audit.removals(),
        audit.check_entries(text, bigint, bigint, timestamptz, timestamptz),
        audit.store_seal(jsonb, bytea, bytea, integer[], bigint[], integer[], bytea),
        audit.log_entries(text, bigint, bigint, bigint[]),
        audit.security_entry(security_logs),
        audit.audit_entry(audit_logs),
        audit.begin_seal(bigint);
      DROP TABLE audit.verifications, audit.tiles, audit.seals;
    `);
  }
}

/**
 * The entries of all users are for the system roles only: they contain ids and times. Tiles contain salted hashes.
 * Hashes do not compress, so they are stored without an attempt.
 */
const TABLES = `
  CREATE TABLE audit.seals (
    id bigint CONSTRAINT seals_pkey PRIMARY KEY,
    tree_size bigint NOT NULL,
    root_hash bytea NOT NULL CONSTRAINT seals_root_hash_length CHECK (octet_length(root_hash) = 32),
    audit_floor bigint NOT NULL,
    security_floor bigint NOT NULL,
    audit_until bigint NOT NULL,
    security_until bigint NOT NULL,
    entries bytea NOT NULL CONSTRAINT seals_entries_length CHECK (octet_length(entries) % 49 = 0),
    checkpoint text NOT NULL,
    verifier_key text NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id()
  );
  CREATE INDEX idx_seals_audit_until ON audit.seals (audit_until, id);
  CREATE INDEX idx_seals_security_until ON audit.seals (security_until);
  ALTER TABLE audit.seals ALTER COLUMN entries SET STORAGE EXTERNAL;
  COMMENT ON TABLE audit.seals IS 'Each row adds entries to the Merkle tree of both logs, and has its signed head.';
  COMMENT ON COLUMN audit.seals.tree_size IS 'Number of entries of the tree with those of this seal.';
  COMMENT ON COLUMN audit.seals.audit_floor IS 'All rows of audit_logs up to this id are sealed, or never committed.';
  COMMENT ON COLUMN audit.seals.audit_until IS 'The largest id of audit_logs that this seal could cover.';
  COMMENT ON COLUMN audit.seals.entries IS
    'The added entries, 49 bytes each; see audit.audit_entry() and audit.security_entry().';
  COMMENT ON COLUMN audit.seals.checkpoint IS 'The head of the tree, a C2SP checkpoint that is signed as a note.';
  COMMENT ON COLUMN audit.seals.verifier_key IS 'The public key of the signature, as C2SP signed-note defines it.';

  CREATE TABLE audit.tiles (
    level integer,
    index bigint,
    hashes bytea NOT NULL CONSTRAINT tiles_hashes_length CHECK (octet_length(hashes) BETWEEN 32 AND 8192),
    CONSTRAINT tiles_pkey PRIMARY KEY (level, index)
  );
  ALTER TABLE audit.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
  COMMENT ON TABLE audit.tiles IS 'The hashes of the Merkle tree, in the tiles of C2SP tlog-tiles.';

  ALTER TABLE audit.seals ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.seals FORCE ROW LEVEL SECURITY;
  ALTER TABLE audit.tiles ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.tiles FORCE ROW LEVEL SECURITY;
  CREATE POLICY seals_select ON audit.seals
    FOR SELECT USING (EXISTS (SELECT FROM auth.context WHERE tenant IS NOT NULL));
  CREATE POLICY seals_system_select ON audit.seals
    FOR SELECT TO gigvault_worker, gigvault_admin, gigvault_auditor, gigvault_definer
    USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY seals_owner_select ON audit.seals FOR SELECT TO gigvault_owner USING (true);
  CREATE POLICY seals_auditor_insert ON audit.seals
    FOR INSERT TO gigvault_auditor WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY tiles_select ON audit.tiles
    FOR SELECT USING (EXISTS (SELECT FROM auth.context WHERE tenant IS NOT NULL));
  CREATE POLICY tiles_system_select ON audit.tiles FOR SELECT TO gigvault_worker, gigvault_admin, gigvault_auditor
    USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY tiles_auditor_insert ON audit.tiles
    FOR INSERT TO gigvault_auditor WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY tiles_auditor_update ON audit.tiles
    FOR UPDATE TO gigvault_auditor USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON audit.seals, audit.tiles TO gigvault_worker, gigvault_admin, gigvault_auditor;
  GRANT SELECT (id, tree_size, checkpoint, verifier_key) ON audit.seals TO gigvault_app;
  GRANT SELECT ON audit.tiles TO gigvault_app;
  GRANT SELECT (id, security_floor) ON audit.seals TO gigvault_definer;
  GRANT INSERT ON audit.seals TO gigvault_auditor;
  GRANT INSERT, UPDATE (hashes) ON audit.tiles TO gigvault_auditor;
`;

/** An admin requests a verification; only a worker, which has the key, writes its progress and report. */
const VERIFICATIONS = `
  CREATE TABLE audit.verifications (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT verifications_pkey PRIMARY KEY,
    status text NOT NULL DEFAULT 'pending'
      CONSTRAINT verifications_status_known CHECK (status IN ('pending', 'running', 'finished', 'failed')),
    started_by_id bigint NOT NULL,
    from_time timestamptz,
    until_time timestamptz,
    progress double precision NOT NULL DEFAULT 0
      CONSTRAINT verifications_progress_range CHECK (progress BETWEEN 0 AND 1),
    report jsonb,
    error text CONSTRAINT verifications_error_length CHECK (char_length(error) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    seen_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT verifications_times CHECK (from_time < until_time),
    CONSTRAINT verifications_finished_has_report CHECK ((status = 'finished') = (report IS NOT NULL)),
    CONSTRAINT verifications_failed_has_error CHECK ((status = 'failed') = (error IS NOT NULL))
  );
  COMMENT ON TABLE audit.verifications IS 'What admins had compared with the seals of the logs, and the results.';
  COMMENT ON COLUMN audit.verifications.progress IS 'The share of the work that is done, from 0 to 1.';
  COMMENT ON COLUMN audit.verifications.seen_at IS 'When the worker that runs it last wrote; an older one has died.';

  ALTER TABLE audit.verifications ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.verifications FORCE ROW LEVEL SECURITY;
  CREATE POLICY verifications_worker_select ON audit.verifications
    FOR SELECT TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY verifications_worker_update ON audit.verifications
    FOR UPDATE TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY verifications_admin_select ON audit.verifications
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY verifications_admin_insert ON audit.verifications
    FOR INSERT TO gigvault_admin WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND status = 'pending');
  GRANT SELECT, UPDATE (status, progress, report, error, started_at, seen_at, ended_at)
    ON audit.verifications TO gigvault_worker;
  GRANT SELECT, INSERT (started_by_id, from_time, until_time) ON audit.verifications TO gigvault_admin;
`;
