import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates proposal_status_changes and fills it from the proposals, and adds to syncs where each list of proposals was
 * read to and what the API key may not read.
 *
 * Corrects the proposals of earlier versions, which took Upwork's `Accepted` (sent and valid) for won, and counted
 * proposals as submitted that never reached the client. Each corrected row is recorded, so that `down` restores it.
 */
export class ProposalHistory implements MigrationInterface {
  readonly name = 'ProposalHistory1795305916000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SYNC_COLUMNS);
    await queryRunner.query(STATUS_CHANGES);
    await queryRunner.query(acrossTenants(RECORD_KNOWN_TIMES + CORRECT_STATUSES));
    await createFunctions(queryRunner, 'proposal-history', ['use_upwork_decision_times', 'record_status_change']);
    await queryRunner.query(TRIGGERS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER set_decision_times_of_upwork ON proposals;
      DROP TRIGGER record_status_change ON proposals;
    `);
    await queryRunner.query(acrossTenants(RESTORE_STATUSES));
    await queryRunner.query(`
      DROP TABLE proposal_status_changes;
      DROP FUNCTION app.record_status_change(), app.use_upwork_decision_times();
      ALTER TABLE proposals DROP COLUMN upwork_changed_at;
      ALTER TABLE syncs DROP COLUMN list_positions, DROP COLUMN missing_permissions;
    `);
  }
}

/** Runs statements on the rows of all tenants: as the owner of the tables, and without the times that a change gets. */
function acrossTenants(statements: string): string {
  return `
    ALTER TABLE proposals NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE proposal_status_changes NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE proposals DISABLE TRIGGER set_decision_times;
    ${statements}
    ALTER TABLE proposals ENABLE TRIGGER set_decision_times;
    ALTER TABLE proposal_status_changes FORCE ROW LEVEL SECURITY;
    ALTER TABLE proposals FORCE ROW LEVEL SECURITY;
  `;
}

const SYNC_COLUMNS = `
  ALTER TABLE syncs
    ADD COLUMN list_positions jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN missing_permissions text[] NOT NULL DEFAULT '{}'
      CONSTRAINT syncs_missing_permissions_count CHECK (cardinality(missing_permissions) <= 100);
  COMMENT ON COLUMN syncs.list_positions IS 'How far each list of proposals was read, and when it was last read whole.';
  COMMENT ON COLUMN syncs.missing_permissions IS 'What the API key could not read in the latest run.';
  GRANT UPDATE (list_positions, missing_permissions) ON syncs TO gigvault_app;
`;

/** A row is written once, by a trigger on proposals. It has no version and no audit: it is a log itself. */
const STATUS_CHANGES = `
  ALTER TABLE proposals ADD COLUMN upwork_changed_at timestamptz;
  COMMENT ON COLUMN proposals.upwork_changed_at IS 'When its status last changed on Upwork, as far as Upwork shows it.';
  GRANT UPDATE (upwork_changed_at) ON proposals TO gigvault_app;

  CREATE TABLE proposal_status_changes (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT proposal_status_changes_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT proposal_status_changes_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    proposal_id bigint NOT NULL,
    status text NOT NULL CONSTRAINT proposal_status_changes_status_known
      CHECK (status IN ('draft', 'submitted', 'accepted', 'rejected', 'withdrawn', 'archived')),
    upwork_status text CONSTRAINT proposal_status_changes_upwork_status_length
      CHECK (char_length(upwork_status) BETWEEN 1 AND 100),
    changed_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    corrected_from text CONSTRAINT proposal_status_changes_corrected_from_known
      CHECK (corrected_from IN ('submitted', 'accepted', 'archived')),
    CONSTRAINT proposal_status_changes_proposal_id_fk FOREIGN KEY (user_id, proposal_id)
      REFERENCES proposals (user_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN proposal_status_changes.changed_at IS 'When it changed on Upwork, or here by its user.';
  COMMENT ON COLUMN proposal_status_changes.seen_at IS 'When this installation learned of it.';
  COMMENT ON COLUMN proposal_status_changes.corrected_from IS
    'The status that an earlier version derived from the same word of Upwork.';
  CREATE INDEX idx_proposal_status_changes_proposal_id
    ON proposal_status_changes (user_id, proposal_id, changed_at, id);

  ALTER TABLE proposal_status_changes ENABLE ROW LEVEL SECURITY;
  ALTER TABLE proposal_status_changes FORCE ROW LEVEL SECURITY;
  CREATE POLICY proposal_status_changes_own_data_select ON proposal_status_changes
    FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY proposal_status_changes_own_data_insert ON proposal_status_changes
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY proposal_status_changes_definer_select ON proposal_status_changes
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON proposal_status_changes TO gigvault_app;
  GRANT SELECT ON proposal_status_changes TO gigvault_definer;
`;

/** Upwork's words that earlier versions took for won. */
const SENT = `upper(upwork_status) IN ('ACCEPTED', 'ACTIVATED', 'OFFERED')`;

/** Upwork's words for a proposal that did not reach the client. */
const NOT_SENT = `upper(upwork_status) IN ('PENDING', 'INVALID', 'CREATED')`;

/** The word is unknown for times before the latest. A wrong decision is left out. */
const RECORD_KNOWN_TIMES = `
  INSERT INTO proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at, seen_at)
  SELECT user_id, id, 'submitted', CASE WHEN status = 'submitted' THEN upwork_status END, submitted_at, created_at
  FROM proposals WHERE submitted_at IS NOT NULL AND NOT coalesce(${NOT_SENT} AND status = 'submitted', false)
  UNION ALL
  SELECT user_id, id, 'accepted', upwork_status, won_at, won_at
  FROM proposals WHERE won_at IS NOT NULL AND NOT coalesce(${SENT}, false)
  UNION ALL
  SELECT user_id, id, 'rejected', upwork_status, rejected_at, rejected_at FROM proposals WHERE rejected_at IS NOT NULL;
`;

/**
 * seen_at of a corrected row keeps the former won_at, and changed_at the former submitted_at. Only one proposal of a
 * job may be open: of several, the one submitted last is, and the others are archived.
 */
const CORRECT_STATUSES = `
  INSERT INTO proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at, seen_at, corrected_from)
  SELECT user_id, id, CASE
      WHEN status = 'archived' OR EXISTS (
        SELECT FROM proposals o
        WHERE o.user_id = p.user_id AND o.job_id = p.job_id AND o.status IN ('draft', 'submitted')
      ) OR EXISTS (
        SELECT FROM proposals o WHERE o.user_id = p.user_id AND o.job_id = p.job_id AND o.status = 'accepted'
          AND upper(o.upwork_status) IN ('ACCEPTED', 'ACTIVATED', 'OFFERED')
          AND (o.submitted_at, o.id) > (p.submitted_at, p.id)
      ) THEN 'archived'
      ELSE 'submitted'
    END, upwork_status, submitted_at, won_at, status
  FROM proposals p WHERE ${SENT} AND won_at IS NOT NULL AND status IN ('accepted', 'archived')
  UNION ALL
  SELECT user_id, id, 'draft', upwork_status, submitted_at, submitted_at, status
  FROM proposals WHERE ${NOT_SENT} AND status = 'submitted';

  UPDATE proposals p SET status = c.status, won_at = NULL,
    submitted_at = CASE WHEN c.status = 'draft' THEN NULL ELSE p.submitted_at END
  FROM proposal_status_changes c
  WHERE c.corrected_from IS NOT NULL AND c.user_id = p.user_id AND c.proposal_id = p.id;
`;

/** Restores what has not changed since. */
const RESTORE_STATUSES = `
  UPDATE proposals p SET status = c.corrected_from,
    won_at = CASE WHEN c.status = 'draft' THEN NULL ELSE c.seen_at END,
    submitted_at = c.changed_at
  FROM proposal_status_changes c
  WHERE c.corrected_from IS NOT NULL AND c.user_id = p.user_id AND c.proposal_id = p.id AND p.status = c.status
    AND p.upwork_status IS NOT DISTINCT FROM c.upwork_status;
`;

/** Triggers fire by name: set_decision_times, set_decision_times_of_upwork, set_updated_at. */
const TRIGGERS = `
  CREATE TRIGGER set_decision_times_of_upwork BEFORE INSERT OR UPDATE ON proposals
    FOR EACH ROW EXECUTE FUNCTION app.use_upwork_decision_times();
  CREATE TRIGGER record_status_change AFTER INSERT OR UPDATE ON proposals
    FOR EACH ROW EXECUTE FUNCTION app.record_status_change();
`;
