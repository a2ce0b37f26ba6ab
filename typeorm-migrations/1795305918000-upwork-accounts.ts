import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Adds to user_tokens the id of the connection's user at Upwork, so that synchronisations need not ask for it at every
 * run. It is no decision of the user, so the audit ignores it.
 */
export class UpworkAccounts implements MigrationInterface {
  readonly name = 'UpworkAccounts1795305918000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE user_tokens ADD COLUMN upwork_user_id text
        CONSTRAINT user_tokens_upwork_user_id_length CHECK (char_length(upwork_user_id) BETWEEN 1 AND 100);
      COMMENT ON COLUMN user_tokens.upwork_user_id IS 'The user at Upwork; NULL until a synchronisation asked for it.';
      GRANT UPDATE (upwork_user_id) ON user_tokens TO gigvault_app;
      UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{upwork_user_id}'
      WHERE table_name = 'user_tokens';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE audit.audited_tables SET ignored_columns = array_remove(ignored_columns, 'upwork_user_id')
      WHERE table_name = 'user_tokens';
      ALTER TABLE user_tokens DROP COLUMN upwork_user_id;
    `);
  }
}
