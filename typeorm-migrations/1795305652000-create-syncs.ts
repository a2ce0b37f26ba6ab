import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes saved_searches (what a user wants to be told of) and syncs (one row for each kind of synchronisation of each
 * connection: what was asked for, how far it came, who works on it). The worker only learns which are due; it then works
 * for their tenants through the tenant's own gate.
 */
export class CreateSyncs implements MigrationInterface {
  readonly name = 'CreateSyncs1795305652000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SAVED_SEARCHES);
    await queryRunner.query(SYNCS);
    await queryRunner.query(DUE);
    await queryRunner.query(STARTED_BY_USERS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE task_runs DROP CONSTRAINT task_runs_started_by_known,
        ADD CONSTRAINT task_runs_started_by_known CHECK (started_by IN ('schedule', 'boot', 'admin')) NOT VALID;
      DROP FUNCTION app.syncs_due(integer);
      DROP TRIGGER create_syncs ON user_tokens;
      DROP FUNCTION app.create_syncs();
      DROP TABLE syncs;
      ALTER TABLE user_tokens DROP CONSTRAINT user_tokens_user_id_id_key;
      DROP TABLE saved_searches;
      DELETE FROM audit.audited_tables WHERE table_name = 'saved_searches';
    `);
  }
}

/** new_matches and the times move with every search and are no change of what the user saved. */
const SAVED_SEARCHES = `
  CREATE TABLE saved_searches (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT saved_searches_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT saved_searches_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
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
    CONSTRAINT saved_searches_name_key UNIQUE (user_id, name)
  );
  COMMENT ON COLUMN saved_searches.alert_hours IS 'New matches are mailed at most so often; NULL: never.';
  COMMENT ON COLUMN saved_searches.new_matches IS 'Jobs found since the last alert.';
  CREATE TRIGGER touch_row BEFORE UPDATE ON saved_searches FOR EACH ROW EXECUTE FUNCTION app.touch_row();
  SELECT audit.watch('saved_searches', ignored => '{new_matches,last_searched_at,last_alerted_at}');

  ALTER TABLE saved_searches ENABLE ROW LEVEL SECURITY;
  ALTER TABLE saved_searches FORCE ROW LEVEL SECURITY;
  CREATE POLICY saved_searches_own_data_select ON saved_searches FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY saved_searches_own_data_insert ON saved_searches FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY saved_searches_own_data_update ON saved_searches FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY saved_searches_own_data_delete ON saved_searches FOR DELETE USING (user_id = (SELECT auth.uid()));
  GRANT SELECT, INSERT, DELETE ON saved_searches TO gigvault_app;
  GRANT UPDATE (name, query, job_type, alert_hours, new_matches, last_searched_at, last_alerted_at) ON saved_searches TO gigvault_app;
`;

const SYNCS = `
  ALTER TABLE user_tokens ADD CONSTRAINT user_tokens_user_id_id_key UNIQUE (user_id, id);

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
  GRANT UPDATE (requested_at, started_at, succeeded_at, next_at, watermark, failures, last_error, figures, lease_owner, lease_until)
    ON syncs TO gigvault_app;
  GRANT SELECT ON syncs TO gigvault_definer;
`;

const DUE = `
  CREATE FUNCTION app.create_syncs() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      INSERT INTO public.syncs (user_id, token_id, kind)
      SELECT NEW.user_id, NEW.id, k.kind FROM unnest('{jobs,proposals,messages}'::text[]) AS k (kind)
      ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $$;
  COMMENT ON FUNCTION app.create_syncs() IS 'Gives a new connection its synchronisations.';
  CREATE TRIGGER create_syncs AFTER INSERT ON user_tokens FOR EACH ROW EXECUTE FUNCTION app.create_syncs();

  CREATE FUNCTION app.syncs_due(take integer) RETURNS TABLE (user_id bigint, sync_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT s.user_id, s.id FROM public.syncs s
      JOIN public.user_tokens t ON t.user_id = s.user_id AND t.id = s.token_id
      JOIN public.users u ON u.id = s.user_id
      WHERE s.next_at <= now() AND (s.lease_until IS NULL OR s.lease_until < now())
        AND t.status <> 'reconnect_needed' AND u.is_active
      ORDER BY s.next_at LIMIT take
    $$;
  COMMENT ON FUNCTION app.syncs_due(integer) IS 'Synchronisations to run now.';
  GRANT EXECUTE ON FUNCTION app.syncs_due(integer) TO gigvault_worker;
  ALTER FUNCTION app.syncs_due(integer) OWNER TO gigvault_definer;
`;

/** A user who asks for a synchronisation makes its task run at once. */
const STARTED_BY_USERS = `
  ALTER TABLE task_runs DROP CONSTRAINT task_runs_started_by_known,
    ADD CONSTRAINT task_runs_started_by_known CHECK (started_by IN ('schedule', 'boot', 'admin', 'user'));
`;
