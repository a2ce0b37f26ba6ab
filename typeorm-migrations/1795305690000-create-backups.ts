import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes backups: what became of each copy of the database. A row that is verified was restored and compared; nothing else
 * counts. Rows outlive their files, so that the list tells what there was.
 */
export class CreateBackups implements MigrationInterface {
  readonly name = 'CreateBackups1795305690000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await queryRunner.query(RIGHTS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE backups`);
  }
}

/** verified_at outlasts a second check until that fails: a backup under check again is as good as it was. */
const TABLE = `
  CREATE TABLE backups (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT backups_pkey PRIMARY KEY,
    status text NOT NULL DEFAULT 'pending' CONSTRAINT backups_status_known CHECK (status IN ('pending', 'running', 'verified', 'failed')),
    started_by text NOT NULL CONSTRAINT backups_started_by_known CHECK (started_by IN ('schedule', 'boot', 'admin')),
    started_by_id bigint,
    reason text CONSTRAINT backups_reason_length CHECK (char_length(reason) BETWEEN 1 AND 500),
    store text CONSTRAINT backups_store_known CHECK (store IN ('folder', 's3')),
    file_name text CONSTRAINT backups_file_name_key UNIQUE CONSTRAINT backups_file_name_length CHECK (char_length(file_name) BETWEEN 1 AND 200),
    size_bytes bigint CONSTRAINT backups_size_bytes_positive CHECK (size_bytes > 0),
    sha256 text CONSTRAINT backups_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    migration text CONSTRAINT backups_migration_length CHECK (char_length(migration) BETWEEN 1 AND 200),
    master_keys text[] NOT NULL DEFAULT '{}',
    seal_key uuid,
    encrypted_canary text CONSTRAINT backups_encrypted_canary_length CHECK (char_length(encrypted_canary) BETWEEN 1 AND 1000),
    figures jsonb,
    error text CONSTRAINT backups_error_length CHECK (char_length(error) BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    verified_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT backups_asked_by_admin CHECK ((started_by_id IS NOT NULL) = (started_by = 'admin')),
    CONSTRAINT backups_whole CHECK ((size_bytes IS NULL) = (sha256 IS NULL) AND (size_bytes IS NULL OR file_name IS NOT NULL)),
    CONSTRAINT backups_verified_has_file CHECK (verified_at IS NULL OR size_bytes IS NOT NULL),
    CONSTRAINT backups_verified_since CHECK (status <> 'verified' OR verified_at IS NOT NULL),
    CONSTRAINT backups_failed_tells_why CHECK (status <> 'failed' OR (error IS NOT NULL AND verified_at IS NULL))
  );
  COMMENT ON COLUMN backups.migration IS 'The newest that had run when it was taken.';
  COMMENT ON COLUMN backups.master_keys IS 'Those that are needed to open it, and the secrets in it.';
  COMMENT ON COLUMN backups.encrypted_canary IS 'A text sealed before the dump, which the check opens from the restored copy.';
  COMMENT ON COLUMN backups.removed_at IS 'When its file went, by the rule of what is kept.';
  CREATE INDEX idx_backups_waiting ON backups (id) WHERE status IN ('pending', 'running');
`;

/** An admin may ask, for a new one or for another check; what came of it only a worker writes. */
const RIGHTS = `
  ALTER TABLE backups ENABLE ROW LEVEL SECURITY;
  ALTER TABLE backups FORCE ROW LEVEL SECURITY;
  CREATE POLICY backups_worker_select ON backups FOR SELECT TO gigvault_worker USING (true);
  CREATE POLICY backups_worker_insert ON backups FOR INSERT TO gigvault_worker WITH CHECK (true);
  CREATE POLICY backups_worker_update ON backups FOR UPDATE TO gigvault_worker USING (true);
  CREATE POLICY backups_worker_delete ON backups FOR DELETE TO gigvault_worker USING (removed_at IS NOT NULL);
  CREATE POLICY backups_admin_select ON backups FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY backups_admin_insert ON backups FOR INSERT TO gigvault_admin WITH CHECK (status = 'pending' AND file_name IS NULL);
  CREATE POLICY backups_admin_update ON backups FOR UPDATE TO gigvault_admin
    USING (status IN ('verified', 'failed') AND size_bytes IS NOT NULL AND removed_at IS NULL) WITH CHECK (status = 'pending');
  GRANT SELECT, INSERT, UPDATE, DELETE ON backups TO gigvault_worker;
  GRANT SELECT, INSERT (started_by, started_by_id, reason), UPDATE (status) ON backups TO gigvault_admin;
`;
