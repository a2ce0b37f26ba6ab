import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/** Creates what the export of the logs needs: the places of a tenant's rows in the Merkle tree. */
export class AuditExport implements MigrationInterface {
  readonly name = 'AuditExport1795305919985';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('GRANT CREATE ON SCHEMA audit TO gigvault_auditor');
    await createFunctions(queryRunner, 'audit-export', ['find_leaves']);
    await queryRunner.query('REVOKE CREATE ON SCHEMA audit FROM gigvault_auditor');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION audit.find_leaves(bigint[], bigint)');
  }
}
