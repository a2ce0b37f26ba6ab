import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds a tenant's favourites without reading all his jobs. They are few, and a write of any other job does not touch the
 * index.
 */
export class IndexFavorites implements MigrationInterface {
  readonly name = 'IndexFavorites1795305760000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'CREATE INDEX idx_jobs_favorites ON jobs (user_id, created_at DESC, id DESC) WHERE is_favorite',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX idx_jobs_favorites');
  }
}
