import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Lets a user undo the changes of a request, and restore a deleted record with its id.
 *
 * Undoing a request deletes the rows that it created. No other route deletes jobs, profiles and cover-letter versions,
 * so only app.delete_own_rows() may, as gigvault_definer. The other functions have the rights of their caller:
 * gigvault_app under the policies of the signed-in user.
 */
export class RecordHistory implements MigrationInterface {
  readonly name = 'RecordHistory1795305919980';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(DELETES);
    await createFunctions(queryRunner, 'record-history', [
      ...['undoable_tables', 'delete_own_rows', 'put_back', 'undo_conflicts', 'undo_dependents', 'undo_request'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        app.undo_request(text),
        app.undo_dependents(text, bigint[], audit_logs[]),
        app.undo_conflicts(audit_logs[]),
        app.put_back(text, jsonb),
        app.delete_own_rows(text, bigint[]),
        app.undoable_tables();
      REVOKE DELETE ON jobs, profiles, letter_versions FROM gigvault_definer;
      REVOKE SELECT ON profiles, letter_versions FROM gigvault_definer;
      DROP POLICY letter_versions_definer_delete ON letter_versions;
      DROP POLICY letter_versions_definer_select ON letter_versions;
      DROP POLICY profiles_definer_delete ON profiles;
      DROP POLICY profiles_definer_select ON profiles;
      DROP POLICY jobs_definer_delete ON jobs;
    `);
  }
}

/** The function deletes rows of the tenant of the signed context only. */
const DELETES = `
  CREATE POLICY jobs_definer_delete ON jobs
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY profiles_definer_select ON profiles
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY profiles_definer_delete ON profiles
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY letter_versions_definer_select ON letter_versions
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY letter_versions_definer_delete ON letter_versions
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT DELETE ON jobs, profiles, letter_versions TO gigvault_definer;
  GRANT SELECT ON profiles, letter_versions TO gigvault_definer;
`;
