import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Adds to jobs the number that Upwork gives a job beside its id. Proposals and conversations know the number only. Both
 * are ids of the same job, so a number that becomes known is no change: it leaves no audit row and no new version.
 */
export class UpworkJobNumbers implements MigrationInterface {
  readonly name = 'UpworkJobNumbers1795305918501';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE jobs ADD COLUMN upwork_job_number app.upwork_id;
      COMMENT ON COLUMN jobs.upwork_job_number IS
        'Upwork''s number of the job, which proposals name; NULL until a synchronisation learned it.';
      CREATE INDEX idx_jobs_upwork_job_number ON jobs (user_id, upwork_job_number) WHERE upwork_job_number IS NOT NULL;
      GRANT UPDATE (upwork_job_number) ON jobs TO gigvault_app;
      GRANT UPDATE (job_id) ON proposals, ai_generations TO gigvault_app;
      UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{upwork_job_number}'
      WHERE table_name = 'jobs';
    `);
    await queryRunner.query(createTrigger(', fetched_at, upwork_job_number'));
    await createFunctions(queryRunner, 'upwork-job-numbers', ['merge_upwork_jobs']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(createTrigger(', fetched_at'));
    await queryRunner.query(`
      DROP FUNCTION app.merge_upwork_jobs(text[], text[]);
      UPDATE audit.audited_tables SET ignored_columns = array_remove(ignored_columns, 'upwork_job_number')
      WHERE table_name = 'jobs';
      REVOKE UPDATE (job_id) ON proposals, ai_generations FROM gigvault_app;
      ALTER TABLE jobs DROP COLUMN upwork_job_number;
    `);
  }
}

/** Replaces the trigger that counts versions; these columns do not count. */
function createTrigger(columns: string): string {
  return `
    DROP TRIGGER set_updated_at ON jobs;
    CREATE TRIGGER set_updated_at BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(
      budget_min_hundredths, budget_max_hundredths, hourly_rate_min_hundredths, hourly_rate_max_hundredths,
      search${columns});`;
}
