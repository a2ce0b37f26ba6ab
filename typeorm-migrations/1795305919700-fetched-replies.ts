import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Allows a tenant to delete the freelancer's messages that a synchronisation stored. Such a message can be a reply that
 * is being sent, with a text that Upwork changed.
 */
export class FetchedReplies implements MigrationInterface {
  readonly name = 'FetchedReplies1795305919700';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE POLICY messages_fetched_reply_delete ON messages FOR DELETE USING (
        user_id = (SELECT tenant FROM auth.context) AND sender_type = 'freelancer'
          AND upwork_message_id IS NOT NULL AND delivery IS NULL
      );
      GRANT DELETE ON messages TO gigvault_app;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE DELETE ON messages FROM gigvault_app;
      DROP POLICY messages_fetched_reply_delete ON messages;
    `);
  }
}
