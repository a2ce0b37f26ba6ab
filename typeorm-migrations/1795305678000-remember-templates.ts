import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets a draft remember the template it followed, so that it can be told which template wins. */
export class RememberTemplates implements MigrationInterface {
  readonly name = 'RememberTemplates1795305678000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE ai_generations ADD COLUMN template_id bigint;
      COMMENT ON COLUMN ai_generations.template_id IS 'The template it followed; no foreign key, a draft outlives its template.';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE ai_generations DROP COLUMN template_id');
  }
}
