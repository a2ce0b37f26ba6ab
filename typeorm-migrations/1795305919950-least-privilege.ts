import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Lets the API run without the login gigvault_worker: what it did as this login it does through functions of schema
 * auth. Adds the lock of backups, which no other login of a server can take by an advisory lock.
 */
export class LeastPrivilege implements MigrationInterface {
  readonly name = 'LeastPrivilege1795305919950';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE POLICY task_runs_definer_insert ON task_runs FOR INSERT TO gigvault_definer
        WITH CHECK (started_by = 'user' AND outcome = 'queued');
      GRANT INSERT (task, started_by, outcome) ON task_runs TO gigvault_definer;
      -- Only the owner of a function can move it.
      SET LOCAL ROLE gigvault_definer;
      REVOKE EXECUTE ON FUNCTION app.renew_ai_runs(jsonb) FROM gigvault_worker;
      ALTER FUNCTION app.renew_ai_runs(jsonb) SET SCHEMA auth;
      GRANT EXECUTE ON FUNCTION auth.renew_ai_runs(jsonb) TO gigvault_auth;
      SET LOCAL ROLE gigvault_owner;
    `);
    await createFunctions(queryRunner, 'least-privilege', ['request_task_run', 'try_lock_backups']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.try_lock_backups();
      SET LOCAL ROLE gigvault_definer;
      DROP FUNCTION auth.request_task_run(text);
      REVOKE EXECUTE ON FUNCTION auth.renew_ai_runs(jsonb) FROM gigvault_auth;
      ALTER FUNCTION auth.renew_ai_runs(jsonb) SET SCHEMA app;
      GRANT EXECUTE ON FUNCTION app.renew_ai_runs(jsonb) TO gigvault_worker;
      SET LOCAL ROLE gigvault_owner;
      REVOKE INSERT (task, started_by, outcome) ON task_runs FROM gigvault_definer;
      DROP POLICY task_runs_definer_insert ON task_runs;
    `);
  }
}
