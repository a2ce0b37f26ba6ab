import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/** Adds to proposals, and to the history of their status, the reason that Upwork states for it. */
export class ProposalReasons implements MigrationInterface {
  readonly name = 'ProposalReasons1795305918502';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE proposals ADD COLUMN upwork_reason text CONSTRAINT proposals_upwork_reason_length
        CHECK (char_length(upwork_reason) BETWEEN 1 AND 1000);
      COMMENT ON COLUMN proposals.upwork_reason IS 'Why it was declined or withdrawn, in the words of Upwork.';
      GRANT UPDATE (upwork_reason) ON proposals TO gigvault_app;
      ALTER TABLE proposal_status_changes ADD COLUMN upwork_reason text
        CONSTRAINT proposal_status_changes_upwork_reason_length CHECK (char_length(upwork_reason) BETWEEN 1 AND 1000);
    `);
    await createFunctions(queryRunner, 'proposal-reasons', ['add_upwork_reason']);
    await queryRunner.query(`
      CREATE TRIGGER add_upwork_reason BEFORE INSERT ON proposal_status_changes
        FOR EACH ROW WHEN (NEW.upwork_status IS NOT NULL) EXECUTE FUNCTION app.add_upwork_reason();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER add_upwork_reason ON proposal_status_changes;
      DROP FUNCTION app.add_upwork_reason();
      ALTER TABLE proposal_status_changes DROP COLUMN upwork_reason;
      ALTER TABLE proposals DROP COLUMN upwork_reason;
    `);
  }
}
