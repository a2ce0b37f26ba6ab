import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates conversations: one row for each room on Upwork. Adds to messages the number of their files, and how far the
 * sending of a reply got. A message that was stored before its job may get the job later.
 */
export class Conversations implements MigrationInterface {
  readonly name = 'Conversations1795305917000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(CONVERSATIONS);
    await queryRunner.query(MESSAGES);
    await createFunctions(queryRunner, 'conversations', ['undecided_messages_due']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.undecided_messages_due(integer);
      DROP INDEX idx_messages_unread_room_id, idx_messages_room_id;
      REVOKE UPDATE (job_id, upwork_message_id) ON messages FROM gigvault_app;
      ALTER TABLE messages DROP COLUMN attachment_count, DROP COLUMN delivery, DROP COLUMN delivery_error,
        DROP COLUMN attempted_at, DROP COLUMN delivery_checks, DROP COLUMN next_check_at;
      UPDATE audit.audited_tables
        SET ignored_columns = array_remove(array_remove(ignored_columns, 'delivery_checks'), 'next_check_at')
        WHERE table_name = 'messages';
      DROP TRIGGER set_updated_at ON messages;
      CREATE TRIGGER set_updated_at BEFORE UPDATE ON messages
        FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(fetched_at);
      DROP TABLE conversations;
      DELETE FROM audit.audited_tables WHERE table_name = 'conversations';
    `);
  }
}

/**
 * A conversation outlives its job, its proposal and its connection. The last message follows from the messages, which
 * are audited, so the audit ignores it. The number of unread messages is counted when it is read.
 */
const CONVERSATIONS = `
  CREATE TABLE conversations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT conversations_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT conversations_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    token_id bigint,
    room_id text NOT NULL CONSTRAINT conversations_room_id_length CHECK (char_length(room_id) BETWEEN 1 AND 100),
    title text CONSTRAINT conversations_title_length CHECK (char_length(title) BETWEEN 1 AND 500),
    topic text CONSTRAINT conversations_topic_length CHECK (char_length(topic) BETWEEN 1 AND 500),
    upwork_proposal_id text CONSTRAINT conversations_upwork_proposal_id_length
      CHECK (char_length(upwork_proposal_id) BETWEEN 1 AND 100),
    upwork_job_number text CONSTRAINT conversations_upwork_job_number_length
      CHECK (char_length(upwork_job_number) BETWEEN 1 AND 100),
    job_id bigint,
    proposal_id bigint,
    last_activity_at timestamptz NOT NULL DEFAULT now(),
    last_sender_type text CONSTRAINT conversations_last_sender_type_known
      CHECK (last_sender_type IN ('client', 'freelancer')),
    last_text text CONSTRAINT conversations_last_text_length CHECK (char_length(last_text) <= 200),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT conversations_room_id_key UNIQUE (user_id, room_id),
    CONSTRAINT conversations_token_id_fk FOREIGN KEY (user_id, token_id)
      REFERENCES user_tokens (user_id, id) ON DELETE SET NULL (token_id),
    CONSTRAINT conversations_job_id_fk FOREIGN KEY (user_id, job_id)
      REFERENCES jobs (user_id, id) ON DELETE SET NULL (job_id),
    CONSTRAINT conversations_proposal_id_fk FOREIGN KEY (user_id, proposal_id)
      REFERENCES proposals (user_id, id) ON DELETE SET NULL (proposal_id)
  );
  COMMENT ON COLUMN conversations.token_id IS 'The connection that last read the room; replies are sent with it.';
  COMMENT ON COLUMN conversations.last_activity_at IS
    'When its last message was sent; without messages, when it was stored.';
  COMMENT ON COLUMN conversations.last_text IS 'The start of the last message.';
  CREATE INDEX idx_conversations_last_activity_at ON conversations (user_id, last_activity_at DESC, id DESC);
  CREATE INDEX idx_conversations_last_sender_type
    ON conversations (user_id, last_sender_type, last_activity_at DESC, id DESC);
  CREATE INDEX idx_conversations_job_id ON conversations (user_id, job_id, last_activity_at DESC, id DESC);
  CREATE INDEX idx_conversations_proposal_id ON conversations (user_id, proposal_id);
  CREATE INDEX idx_conversations_token_id ON conversations (user_id, token_id);

  CREATE TRIGGER set_updated_at BEFORE UPDATE ON conversations
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(last_activity_at, last_sender_type, last_text);
  SELECT audit.enable('conversations', ignored => '{last_activity_at,last_sender_type,last_text}');

  ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
  ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
  CREATE POLICY conversations_own_data_select ON conversations
    FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY conversations_own_data_insert ON conversations FOR INSERT
    WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY conversations_own_data_update ON conversations
    FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  GRANT SELECT, INSERT ON conversations TO gigvault_app;
  GRANT UPDATE (token_id, title, topic, upwork_proposal_id, upwork_job_number, job_id, proposal_id, last_activity_at,
    last_sender_type, last_text) ON conversations TO gigvault_app;
`;

/**
 * delivery is the state of a reply that is sent from here; NULL for all other messages. A reply is undecided while
 * Upwork may have it: then the same text cannot be sent to the same room again by mistake.
 */
const MESSAGES = `
  ALTER TABLE messages
    ADD COLUMN attachment_count integer NOT NULL DEFAULT 0
      CONSTRAINT messages_attachment_count_positive CHECK (attachment_count >= 0),
    ADD COLUMN delivery text
      CONSTRAINT messages_delivery_known CHECK (delivery IN ('sending', 'sent', 'unknown', 'failed')),
    ADD COLUMN delivery_error text
      CONSTRAINT messages_delivery_error_length CHECK (char_length(delivery_error) <= 1000),
    ADD COLUMN attempted_at timestamptz,
    ADD COLUMN delivery_checks integer NOT NULL DEFAULT 0
      CONSTRAINT messages_delivery_checks_positive CHECK (delivery_checks >= 0),
    ADD COLUMN next_check_at timestamptz,
    ADD CONSTRAINT messages_delivery_complete CHECK (
      delivery IS NULL OR (sender_type = 'freelancer' AND room_id IS NOT NULL AND attempted_at IS NOT NULL));
  COMMENT ON COLUMN messages.attachment_count IS 'Number of files on Upwork; their content is not fetched.';
  COMMENT ON COLUMN messages.delivery IS
    'How far the sending of a reply got. unknown: the call was made and no answer arrived.';
  COMMENT ON COLUMN messages.attempted_at IS 'When the call that sends it was last prepared.';
  COMMENT ON COLUMN messages.delivery_checks IS 'How often the room was searched for it without success.';
  COMMENT ON COLUMN messages.next_check_at IS 'When the room is searched for it; NULL: no more.';
  CREATE INDEX idx_messages_room_id ON messages (user_id, room_id, created_at DESC, id DESC);
  CREATE INDEX idx_messages_unread_room_id ON messages (user_id, room_id)
    WHERE NOT is_read AND sender_type = 'client';
  CREATE UNIQUE INDEX messages_one_undecided_per_text ON messages (user_id, room_id, md5(content))
    WHERE delivery IN ('sending', 'unknown');
  CREATE INDEX idx_messages_next_check_at ON messages (next_check_at) WHERE delivery IN ('sending', 'unknown');
  DROP TRIGGER set_updated_at ON messages;
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON messages
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(fetched_at, delivery_checks, next_check_at);
  UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{delivery_checks,next_check_at}'
    WHERE table_name = 'messages';
  GRANT UPDATE (job_id, upwork_message_id, attachment_count, delivery, delivery_error, attempted_at, delivery_checks,
    next_check_at) ON messages TO gigvault_app;
`;
