import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates user_tokens (connections to Upwork), saved_searches, and syncs: one row for each kind of synchronisation of
 * each connection, with what was asked for, how far it came, and which worker has it.
 *
 * The worker's functions only say which connections and synchronisations are due. The worker then works for their
 * tenants under row security.
 */
export class Sync implements MigrationInterface {
  readonly name = 'Sync1795305913000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(USER_TOKENS);
    await queryRunner.query(SAVED_SEARCHES);
    await queryRunner.query(SYNCS);
    await createFunctions(queryRunner, 'sync', [
      ...['connections_due', 'has_lost_connections', 'record_reconnect_deliveries'],
      ...['create_syncs', 'syncs_due', 'expire_fetched_jobs'],
    ]);
    await queryRunner.query(`
      CREATE TRIGGER create_syncs AFTER INSERT ON user_tokens FOR EACH ROW EXECUTE FUNCTION app.create_syncs();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE syncs, saved_searches, user_tokens;
      DROP FUNCTION
        app.expire_fetched_jobs(interval, integer),
        app.syncs_due(integer),
        app.create_syncs(),
        app.record_reconnect_deliveries(integer),
        app.has_lost_connections(),
        app.connections_due(interval, interval, integer);
      DELETE FROM audit.audited_tables WHERE table_name IN ('saved_searches', 'user_tokens');
    `);
  }
}

/**
 * The tokens are ciphertext made by the server. The key that sealed one is named inside the ciphertext, so a rotation
 * knows what is left to do. The states say what is wrong with a connection, when to try again, and whether its user was
 * notified, so that it can recover.
 *
 * The lease (refresh_owner, refresh_until) says who is calling the provider just now: that is no change of the
 * connection.
 */
const USER_TOKENS = `
  CREATE TABLE user_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT user_tokens_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid()
      CONSTRAINT user_tokens_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    provider text NOT NULL DEFAULT 'upwork'
      CONSTRAINT user_tokens_provider_length CHECK (char_length(provider) BETWEEN 1 AND 50),
    organization_id text
      CONSTRAINT user_tokens_organization_id_length CHECK (char_length(organization_id) BETWEEN 1 AND 100),
    seal_key uuid NOT NULL,
    encrypted_access_token text NOT NULL CONSTRAINT user_tokens_encrypted_access_token_length
      CHECK (char_length(encrypted_access_token) BETWEEN 1 AND 20000),
    encrypted_refresh_token text NOT NULL CONSTRAINT user_tokens_encrypted_refresh_token_length
      CHECK (char_length(encrypted_refresh_token) BETWEEN 1 AND 20000),
    expires_at timestamptz NOT NULL,
    scopes text[] NOT NULL DEFAULT '{}' CONSTRAINT user_tokens_scopes_count CHECK (cardinality(scopes) <= 100),
    status text NOT NULL DEFAULT 'active'
      CONSTRAINT user_tokens_status_known CHECK (status IN ('active', 'failing', 'reconnect_needed')),
    last_refreshed_at timestamptz,
    last_error text CONSTRAINT user_tokens_last_error_length CHECK (char_length(last_error) <= 1000),
    refresh_owner text CONSTRAINT user_tokens_refresh_owner_length CHECK (char_length(refresh_owner) <= 200),
    refresh_until timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    next_refresh_at timestamptz,
    failed_refreshes integer NOT NULL DEFAULT 0
      CONSTRAINT user_tokens_failed_refreshes_positive CHECK (failed_refreshes >= 0),
    reconnect_reported_at timestamptz,
    CONSTRAINT user_tokens_connection_key UNIQUE NULLS NOT DISTINCT (user_id, provider, organization_id),
    CONSTRAINT user_tokens_user_id_id_key UNIQUE (user_id, id)
  );
  COMMENT ON COLUMN user_tokens.seal_key IS
    'Made by the server; bound into the ciphertexts, so none can be moved to another row.';
  COMMENT ON COLUMN user_tokens.status IS
    'failing: the provider could not be reached, it is tried again; '
    'reconnect_needed: it refused for good, only its owner can help.';
  COMMENT ON COLUMN user_tokens.next_refresh_at IS 'After a failure, not to be tried before.';
  COMMENT ON COLUMN user_tokens.reconnect_reported_at IS 'When the owner was mailed that he must connect anew.';
  CREATE INDEX idx_user_tokens_expires_at ON user_tokens (expires_at) WHERE status <> 'reconnect_needed';
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON user_tokens FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('user_tokens',
    secrets => '{encrypted_access_token,encrypted_refresh_token}', ignored => '{refresh_owner,refresh_until}');

  ALTER TABLE user_tokens ENABLE ROW LEVEL SECURITY;
  ALTER TABLE user_tokens FORCE ROW LEVEL SECURITY;
  CREATE POLICY user_tokens_own_data_select ON user_tokens FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY user_tokens_own_data_insert ON user_tokens FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY user_tokens_own_data_update ON user_tokens FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY user_tokens_own_data_delete ON user_tokens FOR DELETE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY user_tokens_definer_select ON user_tokens FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY user_tokens_definer_update ON user_tokens FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT, DELETE ON user_tokens TO gigvault_app;
  GRANT UPDATE (seal_key, encrypted_access_token, encrypted_refresh_token, expires_at, scopes, status,
    last_refreshed_at, last_error, refresh_owner, refresh_until, next_refresh_at, failed_refreshes,
    reconnect_reported_at) ON user_tokens TO gigvault_app;
  GRANT SELECT, UPDATE (reconnect_reported_at) ON user_tokens TO gigvault_definer;
`;

/**
 * new_matches, the times and last_error change with every search, and that is no change of what the user saved: they
 * leave no audit row.
 */
const SAVED_SEARCHES = `
  CREATE TABLE saved_searches (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT saved_searches_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid()
      CONSTRAINT saved_searches_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT saved_searches_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    query text NOT NULL CONSTRAINT saved_searches_query_length CHECK (char_length(query) BETWEEN 1 AND 500),
    job_type text CONSTRAINT saved_searches_job_type_known CHECK (job_type IN ('fixed', 'hourly')),
    alert_hours integer CONSTRAINT saved_searches_alert_hours_range CHECK (alert_hours BETWEEN 1 AND 168),
    new_matches integer NOT NULL DEFAULT 0 CONSTRAINT saved_searches_new_matches_positive CHECK (new_matches >= 0),
    last_searched_at timestamptz,
    last_alerted_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    webhook_id bigint,
    last_full_search_at timestamptz,
    last_error text CONSTRAINT saved_searches_last_error_length CHECK (char_length(last_error) <= 1000),
    CONSTRAINT saved_searches_name_key UNIQUE (user_id, name),
    CONSTRAINT saved_searches_webhook_id_fk FOREIGN KEY (user_id, webhook_id)
      REFERENCES webhooks (user_id, id) ON DELETE SET NULL (webhook_id)
  );
  COMMENT ON COLUMN saved_searches.alert_hours IS 'New matches are mailed at most so often; NULL: never.';
  COMMENT ON COLUMN saved_searches.new_matches IS 'Jobs found since the last alert.';
  COMMENT ON COLUMN saved_searches.webhook_id IS 'Where new matches are sent; NULL: they are mailed.';
  COMMENT ON COLUMN saved_searches.last_full_search_at IS
    'When all its pages were last read, which keeps what it found from expiring.';
  COMMENT ON COLUMN saved_searches.last_error IS 'Why its latest run failed; NULL when it succeeded.';
  CREATE INDEX idx_saved_searches_webhook_id ON saved_searches (user_id, webhook_id);
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON saved_searches FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('saved_searches',
    ignored => '{new_matches,last_searched_at,last_alerted_at,last_full_search_at,last_error}');

  ALTER TABLE saved_searches ENABLE ROW LEVEL SECURITY;
  ALTER TABLE saved_searches FORCE ROW LEVEL SECURITY;
  CREATE POLICY saved_searches_own_data_select ON saved_searches FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY saved_searches_own_data_insert ON saved_searches FOR INSERT
    WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY saved_searches_own_data_update ON saved_searches FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY saved_searches_own_data_delete ON saved_searches FOR DELETE USING (user_id = (SELECT auth.uid()));
  GRANT SELECT, INSERT, DELETE ON saved_searches TO gigvault_app;
  GRANT UPDATE (name, query, job_type, alert_hours, new_matches, last_searched_at, last_alerted_at, webhook_id,
    last_full_search_at, last_error) ON saved_searches TO gigvault_app;
`;

const SYNCS = `
  CREATE TABLE syncs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT syncs_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT syncs_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    token_id bigint NOT NULL,
    kind text NOT NULL CONSTRAINT syncs_kind_known CHECK (kind IN ('jobs', 'proposals', 'messages')),
    requested_at timestamptz,
    started_at timestamptz,
    succeeded_at timestamptz,
    next_at timestamptz NOT NULL DEFAULT now(),
    watermark timestamptz,
    failures integer NOT NULL DEFAULT 0,
    last_error text CONSTRAINT syncs_last_error_length CHECK (char_length(last_error) <= 1000),
    figures jsonb NOT NULL DEFAULT '{}',
    lease_owner text CONSTRAINT syncs_lease_owner_length CHECK (char_length(lease_owner) <= 200),
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT syncs_connection_kind_key UNIQUE (user_id, token_id, kind),
    CONSTRAINT syncs_token_id_fk FOREIGN KEY (user_id, token_id) REFERENCES user_tokens (user_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN syncs.watermark IS 'When the last search that succeeded began; what is older is known.';
  CREATE INDEX idx_syncs_next_at ON syncs (next_at);

  ALTER TABLE syncs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE syncs FORCE ROW LEVEL SECURITY;
  CREATE POLICY syncs_own_data_select ON syncs FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY syncs_own_data_insert ON syncs FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY syncs_own_data_update ON syncs FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY syncs_definer_select ON syncs FOR SELECT TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON syncs TO gigvault_app;
  GRANT UPDATE (requested_at, started_at, succeeded_at, next_at, watermark, failures, last_error, figures, lease_owner,
    lease_until) ON syncs TO gigvault_app;
  GRANT SELECT ON syncs TO gigvault_definer;
`;
