import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates proposals and messages. Foreign keys between a tenant's tables contain the tenant, because foreign-key checks
 * ignore row security. With a plain job_id a proposal could refer to another tenant's job, and would disappear when
 * they delete it. Unique keys contain the tenant too: a global key reveals which ids others have, and fails for two
 * members of one agency.
 *
 * A row that a synchronisation finds again has not changed, so fetched_at leaves no audit row and no new version.
 */
export class ProposalsMessages implements MigrationInterface {
  readonly name = 'ProposalsMessages1795305908000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await createFunctions(queryRunner, 'proposals-messages', ['set_decision_times']);
    await queryRunner.query(PROPOSALS);
    await queryRunner.query(MESSAGES);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE messages, proposals;
      DROP FUNCTION app.set_decision_times();
      DELETE FROM audit.audited_tables WHERE table_name IN ('messages', 'proposals');
    `);
  }
}

/**
 * won_at and rejected_at keep the day of the decision, also of a proposal that is archived later. They follow from the
 * status, which is audited, so the audit ignores them. Triggers fire by name: set_decision_times before set_updated_at.
 *
 * upwork_status is Upwork's own word for `status`. Upwork does not publish the possible words, so the original is kept.
 */
const PROPOSALS = `
  CREATE TABLE proposals (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT proposals_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT proposals_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    job_id bigint NOT NULL,
    upwork_proposal_id text
      CONSTRAINT proposals_upwork_proposal_id_length CHECK (char_length(upwork_proposal_id) BETWEEN 1 AND 100),
    cover_letter text CONSTRAINT proposals_cover_letter_length CHECK (char_length(cover_letter) <= 20000),
    bid_amount numeric(10,2) CONSTRAINT proposals_bid_amount_positive CHECK (bid_amount >= 0 AND bid_amount <> 'NaN'),
    bid_type text CONSTRAINT proposals_bid_type_known CHECK (bid_type IN ('fixed', 'hourly')),
    currency text NOT NULL DEFAULT 'USD' CONSTRAINT proposals_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    status text NOT NULL DEFAULT 'draft' CONSTRAINT proposals_status_known
      CHECK (status IN ('draft', 'submitted', 'accepted', 'rejected', 'withdrawn', 'archived')),
    submitted_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    won_at timestamptz,
    rejected_at timestamptz,
    upwork_status text CONSTRAINT proposals_upwork_status_length CHECK (char_length(upwork_status) BETWEEN 1 AND 100),
    fetched_at timestamptz,
    CONSTRAINT proposals_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT proposals_job_id_fk FOREIGN KEY (user_id, job_id) REFERENCES jobs (user_id, id) ON DELETE CASCADE,
    CONSTRAINT proposals_upwork_proposal_id_key UNIQUE (user_id, upwork_proposal_id),
    CONSTRAINT proposals_submitted_at_when_submitted CHECK ((submitted_at IS NULL) = (status = 'draft'))
  );
  COMMENT ON COLUMN proposals.won_at IS 'When it became accepted; kept when it is archived.';
  COMMENT ON COLUMN proposals.rejected_at IS 'When it became rejected; kept when it is archived.';
  COMMENT ON COLUMN proposals.upwork_status IS 'Upwork''s word for the status, as of the last synchronisation.';
  COMMENT ON COLUMN proposals.fetched_at IS 'When a synchronisation last found it, to the hour.';
  CREATE UNIQUE INDEX proposals_one_open_per_job ON proposals (user_id, job_id) WHERE status IN ('draft', 'submitted');
  CREATE INDEX idx_proposals_user_id ON proposals (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_proposals_job_id ON proposals (user_id, job_id, created_at DESC, id DESC);
  CREATE INDEX idx_proposals_status ON proposals (user_id, status, created_at DESC, id DESC);
  CREATE INDEX idx_proposals_submitted_at ON proposals (user_id, submitted_at DESC, id DESC);

  CREATE TRIGGER set_decision_times BEFORE INSERT OR UPDATE ON proposals
    FOR EACH ROW EXECUTE FUNCTION app.set_decision_times();
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON proposals FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(fetched_at);
  SELECT audit.enable('proposals', ignored => '{won_at,rejected_at,fetched_at}');

  ALTER TABLE proposals ENABLE ROW LEVEL SECURITY;
  ALTER TABLE proposals FORCE ROW LEVEL SECURITY;
  CREATE POLICY proposals_own_data_select ON proposals FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY proposals_own_data_insert ON proposals
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY proposals_own_data_update ON proposals FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY proposals_own_data_delete ON proposals FOR DELETE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY proposals_definer_select ON proposals
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT, DELETE ON proposals TO gigvault_app;
  GRANT UPDATE (upwork_proposal_id, cover_letter, bid_amount, bid_type, currency, status, submitted_at, upwork_status,
    fetched_at) ON proposals TO gigvault_app;
  GRANT SELECT ON proposals TO gigvault_definer;
`;

/**
 * A conversation outlives its job (SET NULL of job_id only: the tenant stays), and a room on Upwork need not have one.
 */
const MESSAGES = `
  CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT messages_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT messages_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    job_id bigint,
    room_id text CONSTRAINT messages_room_id_length CHECK (char_length(room_id) BETWEEN 1 AND 100),
    upwork_message_id text
      CONSTRAINT messages_upwork_message_id_length CHECK (char_length(upwork_message_id) BETWEEN 1 AND 100),
    sender_type text NOT NULL CONSTRAINT messages_sender_type_known CHECK (sender_type IN ('client', 'freelancer')),
    content text NOT NULL CONSTRAINT messages_content_length CHECK (char_length(content) BETWEEN 1 AND 50000),
    is_read boolean NOT NULL DEFAULT false,
    read_at timestamptz CONSTRAINT messages_read_at_when_read CHECK (read_at IS NULL OR is_read),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    fetched_at timestamptz,
    CONSTRAINT messages_job_id_fk FOREIGN KEY (user_id, job_id)
      REFERENCES jobs (user_id, id) ON DELETE SET NULL (job_id),
    CONSTRAINT messages_upwork_message_id_key UNIQUE (user_id, upwork_message_id)
  );
  COMMENT ON COLUMN messages.fetched_at IS 'When its text was read from Upwork.';
  CREATE INDEX idx_messages_job_id ON messages (user_id, job_id, created_at DESC, id DESC);
  CREATE INDEX idx_messages_created_at ON messages (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_messages_is_read ON messages (user_id, created_at DESC, id DESC)
    WHERE NOT is_read AND sender_type = 'client';

  CREATE TRIGGER set_updated_at BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(fetched_at);
  SELECT audit.enable('messages', ignored => '{fetched_at}');

  ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
  ALTER TABLE messages FORCE ROW LEVEL SECURITY;
  CREATE POLICY messages_own_data_select ON messages FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY messages_own_data_insert ON messages
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY messages_own_data_update ON messages FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY messages_definer_select ON messages
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON messages TO gigvault_app;
  GRANT UPDATE (content, is_read, read_at, fetched_at) ON messages TO gigvault_app;
  GRANT SELECT ON messages TO gigvault_definer;
`;
