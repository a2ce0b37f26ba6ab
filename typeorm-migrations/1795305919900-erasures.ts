import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates the functions by which the worker removes what an erasure leaves: it cannot read security_logs, and owns no
 * table.
 */
export class Erasures implements MigrationInterface {
  readonly name = 'Erasures1795305919900';

  async up(queryRunner: QueryRunner): Promise<void> {
    await createFunctions(queryRunner, 'erasures', ['erased_users', 'analyze_tables', 'request_vacuum']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'DROP FUNCTION app.request_vacuum(timestamptz), app.analyze_tables(), app.erased_users(timestamptz)',
    );
  }
}
