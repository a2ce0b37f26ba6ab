import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/** Creates what the exports of the logs need: the places of a tenant's rows in the tree, and the stream to a SIEM. */
export class AuditExport implements MigrationInterface {
  readonly name = 'AuditExport1795305919985';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(POSITIONS);
    await queryRunner.query('GRANT CREATE ON SCHEMA audit TO gigvault_auditor');
    await createFunctions(queryRunner, 'audit-export', ['find_leaves', 'stream_rows']);
    await queryRunner.query('REVOKE CREATE ON SCHEMA audit FROM gigvault_auditor');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION audit.stream_rows(bigint[], bigint[]), audit.find_leaves(bigint[], bigint);
      DROP TABLE audit.stream_positions;
      DROP INDEX audit.idx_seals_tree_size;
    `);
  }
}

/** The index finds the seal of an entry. */
const POSITIONS = `
  CREATE INDEX idx_seals_tree_size ON audit.seals (tree_size);
  CREATE TABLE audit.stream_positions (
    target text CONSTRAINT stream_positions_pkey PRIMARY KEY,
    next_leaf bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  COMMENT ON TABLE audit.stream_positions IS 'How far both logs were sent to each target of AUDIT_STREAM.';
  COMMENT ON COLUMN audit.stream_positions.next_leaf IS 'Index in the tree of the next row to send.';
  ALTER TABLE audit.stream_positions ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit.stream_positions FORCE ROW LEVEL SECURITY;
  CREATE POLICY stream_positions_worker_select ON audit.stream_positions
    FOR SELECT TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY stream_positions_worker_insert ON audit.stream_positions
    FOR INSERT TO gigvault_worker WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY stream_positions_worker_update ON audit.stream_positions
    FOR UPDATE TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT, UPDATE (next_leaf, updated_at) ON audit.stream_positions TO gigvault_worker;
`;
