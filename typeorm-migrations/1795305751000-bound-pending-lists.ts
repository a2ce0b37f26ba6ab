import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Keeps lists and searches quick behind many writes. A GIN index puts new entries into a pending list, which every search
 * reads from end to end until it is emptied: at its default length of 4 MB a page of jobs took six to nine times its time,
 * for all tenants. The skills of a row are few and go into the index at once, which costs an insert nothing that can be
 * measured; the words of its text are many, and are gathered to a sixteenth of that length.
 * @see https://www.postgresql.org/docs/15/gin-implementation.html#GIN-FAST-UPDATE
 */
export class BoundPendingLists implements MigrationInterface {
  readonly name = 'BoundPendingLists1795305751000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER INDEX idx_jobs_skills SET (fastupdate = off);
      ALTER INDEX idx_jobs_search SET (gin_pending_list_limit = 256);
      SELECT gin_clean_pending_list('idx_jobs_skills'), gin_clean_pending_list('idx_jobs_search');
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER INDEX idx_jobs_skills RESET (fastupdate);
      ALTER INDEX idx_jobs_search RESET (gin_pending_list_limit);
    `);
  }
}
