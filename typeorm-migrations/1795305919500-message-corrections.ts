import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Allows two corrections of messages: a reply that is sent again gets a new time, and a message that was taken for the
 * client's gets its author. A room is searched a limited number of times for a reply, also when it cannot be read.
 */
export class MessageCorrections implements MigrationInterface {
  readonly name = 'MessageCorrections1795305919500';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      GRANT UPDATE (created_at, sender_type) ON messages TO gigvault_app;
      COMMENT ON COLUMN messages.delivery_checks IS 'How many searches of the room for it began.';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE UPDATE (created_at, sender_type) ON messages FROM gigvault_app;
      COMMENT ON COLUMN messages.delivery_checks IS 'How often the room was searched for it without success.';
    `);
  }
}
