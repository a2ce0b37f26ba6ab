import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/** Adds to jobs what only their full posting at Upwork says. It expires with the other content of a fetched job. */
export class JobDetails implements MigrationInterface {
  readonly name = 'JobDetails1795305918100';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE jobs ADD COLUMN details jsonb CONSTRAINT jobs_details_size
        CHECK (jsonb_typeof(details) = 'object' AND octet_length(details::text) <= 262144);
      COMMENT ON COLUMN jobs.details IS
        'Screening questions, activity and state of the full posting; NULL until POST /v1/jobs/{id}/refresh read it.';
      GRANT UPDATE (details) ON jobs TO gigvault_app;
    `);
    await createFunctions(queryRunner, 'job-details', ['clear_expired_details']);
    await queryRunner.query(`
      CREATE TRIGGER clear_expired_details BEFORE UPDATE OF fetched_at ON jobs FOR EACH ROW
        WHEN (OLD.fetched_at IS NOT NULL AND NEW.fetched_at IS NULL) EXECUTE FUNCTION app.clear_expired_details();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER clear_expired_details ON jobs;
      DROP FUNCTION app.clear_expired_details();
      ALTER TABLE jobs DROP COLUMN details;
    `);
  }
}
