import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/** Adds to user_tokens the organizations that the user belongs to at Upwork, of which they may choose one. */
export class Organizations implements MigrationInterface {
  readonly name = 'Organizations1795305918503';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE user_tokens ADD COLUMN organizations jsonb CONSTRAINT user_tokens_organizations_size
        CHECK (jsonb_typeof(organizations) = 'array' AND octet_length(organizations::text) <= 65536);
      COMMENT ON COLUMN user_tokens.organizations IS
        'Organizations of the user at Upwork: id, title, type; NULL until they were read.';
      GRANT UPDATE (organizations, organization_id) ON user_tokens TO gigvault_app;
    `);
    await createFunctions(queryRunner, 'organizations', ['restart_syncs']);
    await queryRunner.query(`
      CREATE TRIGGER restart_syncs AFTER UPDATE OF organization_id ON user_tokens FOR EACH ROW
        WHEN (NEW.organization_id IS DISTINCT FROM OLD.organization_id) EXECUTE FUNCTION app.restart_syncs();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER restart_syncs ON user_tokens;
      DROP FUNCTION app.restart_syncs();
      REVOKE UPDATE (organization_id) ON user_tokens FROM gigvault_app;
      ALTER TABLE user_tokens DROP COLUMN organizations;
    `);
  }
}
