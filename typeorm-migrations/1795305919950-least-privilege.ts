import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Lets the API queue a run of a task without the login gigvault_worker, through a function of schema auth. Adds the
 * lock of backups, which no other login of a server can take.
 */
export class LeastPrivilege implements MigrationInterface {
  readonly name = 'LeastPrivilege1795305919950';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE POLICY task_runs_definer_insert ON task_runs FOR INSERT TO gigvault_definer
        WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND started_by = 'user' AND outcome = 'queued');
      GRANT INSERT (task, started_by, outcome) ON task_runs TO gigvault_definer;
    `);
    await queryRunner.query(BACKUP_LOCK);
    await createFunctions(queryRunner, 'least-privilege', ['request_task_run', 'try_lock_backups']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.try_lock_backups(), auth.request_task_run(text);
      DROP TABLE app.backup_lock;
      REVOKE INSERT (task, started_by, outcome) ON task_runs FROM gigvault_definer;
      DROP POLICY task_runs_definer_insert ON task_runs;
    `);
  }
}

/** Backups hold the lock for hours. A table with rows would get no VACUUM, ANALYZE or new settings in that time. */
const BACKUP_LOCK = `
  CREATE TABLE app.backup_lock (
    id integer CONSTRAINT backup_lock_pkey PRIMARY KEY
  );
  COMMENT ON TABLE app.backup_lock IS 'Has no rows. A process locks it while it makes backups.';
  ALTER TABLE app.backup_lock ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.backup_lock FORCE ROW LEVEL SECURITY;
`;
