import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Allows several open proposals of a job from Upwork, each with its own status: an agency and its freelancer can both
 * send one. Of those that Upwork does not know, a job has one at most. `down` fails, and changes nothing, while a job
 * has two open proposals: end one of them first.
 */
export class OpenProposals implements MigrationInterface {
  readonly name = 'OpenProposals1795305919600';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX proposals_one_open_per_job;
      CREATE UNIQUE INDEX proposals_one_open_per_job ON proposals (user_id, job_id)
        WHERE status IN ('draft', 'submitted') AND upwork_proposal_id IS NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX proposals_one_open_per_job;
      CREATE UNIQUE INDEX proposals_one_open_per_job ON proposals (user_id, job_id)
        WHERE status IN ('draft', 'submitted');
    `);
  }
}
