import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Gives proposals the word Upwork uses for where they stand, beside what it means here: its list of words is not
 * published, so one that nobody expected must not be lost.
 */
export class KeepUpworkStatus implements MigrationInterface {
  readonly name = 'KeepUpworkStatus1795305700000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE proposals
        ADD COLUMN upwork_status text CONSTRAINT proposals_upwork_status_length CHECK (char_length(upwork_status) BETWEEN 1 AND 100);
      COMMENT ON COLUMN proposals.upwork_status IS 'The word of Upwork for where it stands, as last heard.';
      GRANT UPDATE (upwork_status) ON proposals TO gigvault_app;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE proposals DROP COLUMN upwork_status');
  }
}
