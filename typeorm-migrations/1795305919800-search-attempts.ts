import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Adds to saved_searches when each was last tried. A run takes those that waited longest, and a search that always
 * fails must not keep its place. The time is no decision of the user, so the audit ignores it.
 */
export class SearchAttempts implements MigrationInterface {
  readonly name = 'SearchAttempts1795305919800';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE saved_searches ADD COLUMN last_tried_at timestamptz;
      COMMENT ON COLUMN saved_searches.last_tried_at IS
        'When its latest run ended, also in a failure; NULL: it runs first.';
      UPDATE saved_searches SET last_tried_at = last_searched_at WHERE last_searched_at IS NOT NULL;
      GRANT UPDATE (last_tried_at) ON saved_searches TO gigvault_app;
      UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{last_tried_at}'
      WHERE table_name = 'saved_searches';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE audit.audited_tables SET ignored_columns = array_remove(ignored_columns, 'last_tried_at')
      WHERE table_name = 'saved_searches';
      ALTER TABLE saved_searches DROP COLUMN last_tried_at;
    `);
  }
}
