import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/** Adds to user_tokens what its API key cannot see of Upwork's schema, and when this is checked again. */
export class Capabilities implements MigrationInterface {
  readonly name = 'Capabilities1795305918500';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE user_tokens
        ADD COLUMN missing_parts jsonb CONSTRAINT user_tokens_missing_parts_size
          CHECK (jsonb_typeof(missing_parts) = 'object' AND octet_length(missing_parts::text) <= 65536),
        ADD COLUMN capabilities_checked_at timestamptz,
        ADD COLUMN capabilities_error text CONSTRAINT user_tokens_capabilities_error_length
          CHECK (char_length(capabilities_error) BETWEEN 1 AND 1000),
        ADD COLUMN next_capability_check_at timestamptz NOT NULL DEFAULT now();
      COMMENT ON COLUMN user_tokens.missing_parts IS
        'Parts of Upwork''s schema that the API key cannot see, by capability; NULL until they were checked.';
      COMMENT ON COLUMN user_tokens.capabilities_checked_at IS 'When missing_parts was last read.';
      COMMENT ON COLUMN user_tokens.capabilities_error IS 'Why the latest check failed; NULL when it succeeded.';
      CREATE INDEX idx_user_tokens_next_capability_check_at ON user_tokens (next_capability_check_at)
        WHERE status <> 'reconnect_needed';
      GRANT UPDATE (missing_parts, capabilities_checked_at, capabilities_error, next_capability_check_at)
        ON user_tokens TO gigvault_app;
      UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{next_capability_check_at}'
      WHERE table_name = 'user_tokens';
    `);
    await createFunctions(queryRunner, 'capabilities', ['capability_checks_due', 'list_missing_capabilities']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.list_missing_capabilities(), app.capability_checks_due(integer);
      UPDATE audit.audited_tables SET ignored_columns = array_remove(ignored_columns, 'next_capability_check_at')
      WHERE table_name = 'user_tokens';
      ALTER TABLE user_tokens DROP COLUMN missing_parts, DROP COLUMN capabilities_checked_at,
        DROP COLUMN capabilities_error, DROP COLUMN next_capability_check_at;
    `);
  }
}
