import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Adds to messages the number of their files. A message that was stored before its job may get the job later. */
export class Conversations implements MigrationInterface {
  readonly name = 'Conversations1795305917000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(MESSAGES);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE UPDATE (job_id) ON messages FROM gigvault_app;
      ALTER TABLE messages DROP COLUMN attachment_count;
    `);
  }
}

const MESSAGES = `
  ALTER TABLE messages ADD COLUMN attachment_count integer NOT NULL DEFAULT 0
    CONSTRAINT messages_attachment_count_positive CHECK (attachment_count >= 0);
  COMMENT ON COLUMN messages.attachment_count IS 'Number of files on Upwork; their content is not fetched.';
  GRANT UPDATE (job_id, attachment_count) ON messages TO gigvault_app;
`;
