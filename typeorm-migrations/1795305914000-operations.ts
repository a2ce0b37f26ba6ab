import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates idempotency_keys; the runs, settings and alerts of scheduled tasks; backups; and
 * app.count_service_failures(), which counts current failures over all tenants.
 */
export class Operations implements MigrationInterface {
  readonly name = 'Operations1795305914000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(IDEMPOTENCY_KEYS);
    await queryRunner.query(TASK_RUNS);
    await queryRunner.query(TASK_SETTINGS);
    await queryRunner.query(TASK_ALERTS);
    await queryRunner.query(BACKUPS);
    await createFunctions(queryRunner, 'operations', [
      'purge_expired',
      'update_task_alerts',
      'task_alerts_to_email',
      'count_service_failures',
      'purge_backups',
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.purge_backups(), app.count_service_failures(), auth.task_alerts_to_email(),
        auth.update_task_alerts(jsonb), app.purge_expired();
      DROP TABLE backups, task_alerts, task_settings, task_runs, idempotency_keys;
    `);
  }
}

/** A key, its effect and the response are written in one transaction. Keys are kept for 24 hours. */
const IDEMPOTENCY_KEYS = `
  CREATE TABLE idempotency_keys (
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT idempotency_keys_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    key text NOT NULL CONSTRAINT idempotency_keys_key_length CHECK (char_length(key) BETWEEN 1 AND 255),
    request_hash text NOT NULL
      CONSTRAINT idempotency_keys_request_hash_length CHECK (char_length(request_hash) BETWEEN 1 AND 128),
    status smallint CONSTRAINT idempotency_keys_status_http CHECK (status BETWEEN 100 AND 599),
    headers jsonb,
    body text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key)
  );
  COMMENT ON COLUMN idempotency_keys.status IS 'The response''s status; NULL while the request runs.';
  CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at);

  ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
  CREATE POLICY idempotency_keys_own_data_select ON idempotency_keys
    FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY idempotency_keys_own_data_insert ON idempotency_keys FOR INSERT
    WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY idempotency_keys_own_data_update ON idempotency_keys
    FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY idempotency_keys_own_data_delete ON idempotency_keys
    FOR DELETE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY idempotency_keys_definer_select ON idempotency_keys
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY idempotency_keys_definer_delete ON idempotency_keys
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT, DELETE ON idempotency_keys TO gigvault_app;
  GRANT UPDATE (request_hash, status, headers, body, created_at) ON idempotency_keys TO gigvault_app;
  GRANT SELECT, DELETE ON idempotency_keys TO gigvault_definer;
`;

/**
 * A worker claims a run by inserting it (a scheduled time, once each) or by moving it on from 'queued' or 'retrying'.
 * It renews lease_until; later another worker may take over, and attempts shows the first that it lost the run. A run
 * that an admin starts is stored as 'queued', so it survives the loss of the queue. A user who requests a
 * synchronisation starts its task at once. An ended run is 'partial' when its figures count failures.
 */
const TASK_RUNS = `
  CREATE TABLE task_runs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT task_runs_pkey PRIMARY KEY,
    task text NOT NULL CONSTRAINT task_runs_task_length CHECK (char_length(task) BETWEEN 1 AND 100),
    scheduled_for timestamptz,
    started_by text NOT NULL
      CONSTRAINT task_runs_started_by_known CHECK (started_by IN ('schedule', 'boot', 'admin', 'user')),
    started_by_id bigint,
    retry_of bigint,
    outcome text NOT NULL CONSTRAINT task_runs_outcome_known
      CHECK (outcome IN ('queued', 'running', 'retrying', 'succeeded', 'partial', 'skipped', 'failed', 'timed_out')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    lease_until timestamptz,
    ended_at timestamptz,
    figures jsonb,
    error text CONSTRAINT task_runs_error_length CHECK (char_length(error) <= 4000),
    failed_attempts jsonb NOT NULL DEFAULT '[]'
      CONSTRAINT task_runs_failed_attempts_list CHECK (jsonb_typeof(failed_attempts) = 'array'),
    CONSTRAINT task_runs_scheduled_once UNIQUE (task, scheduled_for),
    CONSTRAINT task_runs_scheduled_by_schedule CHECK ((scheduled_for IS NOT NULL) = (started_by = 'schedule')),
    CONSTRAINT task_runs_asked_by_admin CHECK ((started_by_id IS NOT NULL) = (started_by = 'admin')),
    CONSTRAINT task_runs_leased_while_running CHECK ((lease_until IS NOT NULL) = (outcome = 'running')),
    CONSTRAINT task_runs_started_before_ended CHECK ((started_at IS NULL) = (outcome = 'queued')),
    CONSTRAINT task_runs_ended_when_over CHECK ((ended_at IS NULL) = (outcome IN ('queued', 'running')))
  );
  COMMENT ON CONSTRAINT task_runs_scheduled_once ON task_runs IS 'Two workers cannot start the same scheduled run.';
  COMMENT ON COLUMN task_runs.started_by_id IS
    'The admin who started it. No foreign key, because the history outlives the account.';
  COMMENT ON COLUMN task_runs.failed_attempts IS 'The failed attempts: attempt, startedAt, endedAt, error.';
  CREATE INDEX idx_task_runs_task ON task_runs (task, id DESC);
  CREATE INDEX idx_task_runs_open ON task_runs (outcome, id) WHERE outcome IN ('queued', 'running', 'retrying');
  CREATE UNIQUE INDEX idx_task_runs_requested ON task_runs (task) WHERE started_by = 'user' AND outcome = 'queued';
  COMMENT ON INDEX idx_task_runs_requested IS 'Simultaneous requests of users queue one run.';
  CREATE INDEX idx_task_runs_created_at ON task_runs (created_at);

  ALTER TABLE task_runs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE task_runs FORCE ROW LEVEL SECURITY;
  CREATE POLICY task_runs_worker_select ON task_runs
    FOR SELECT TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_runs_worker_insert ON task_runs
    FOR INSERT TO gigvault_worker WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND started_by <> 'admin');
  CREATE POLICY task_runs_worker_update ON task_runs
    FOR UPDATE TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_runs_admin_select ON task_runs
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_runs_admin_insert ON task_runs FOR INSERT TO gigvault_admin
    WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND started_by = 'admin' AND outcome = 'queued');
  CREATE POLICY task_runs_definer_select ON task_runs
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_runs_definer_delete ON task_runs
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON task_runs TO gigvault_worker;
  GRANT UPDATE (outcome, attempts, started_at, lease_until, ended_at, figures, error, failed_attempts)
    ON task_runs TO gigvault_worker;
  GRANT SELECT ON task_runs TO gigvault_admin;
  GRANT INSERT (task, started_by, started_by_id, retry_of, outcome) ON task_runs TO gigvault_admin;
  GRANT SELECT, DELETE ON task_runs TO gigvault_definer;
`;

const TASK_SETTINGS = `
  CREATE TABLE task_settings (
    task text CONSTRAINT task_settings_pkey PRIMARY KEY
      CONSTRAINT task_settings_task_length CHECK (char_length(task) BETWEEN 1 AND 100),
    paused boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE task_settings IS 'Settings of scheduled tasks. security_logs says who changed them and why.';
  ALTER TABLE task_settings ENABLE ROW LEVEL SECURITY;
  ALTER TABLE task_settings FORCE ROW LEVEL SECURITY;
  CREATE POLICY task_settings_worker_select ON task_settings
    FOR SELECT TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_settings_definer_select ON task_settings
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_settings_admin_select ON task_settings
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_settings_admin_insert ON task_settings
    FOR INSERT TO gigvault_admin WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_settings_admin_update ON task_settings
    FOR UPDATE TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON task_settings TO gigvault_worker, gigvault_admin, gigvault_definer;
  GRANT INSERT ON task_settings TO gigvault_admin;
  GRANT UPDATE (paused, updated_at) ON task_settings TO gigvault_admin;
`;

/** One row for each problem of a scheduled task, from detection to recovery. */
const TASK_ALERTS = `
  CREATE TABLE task_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT task_alerts_pkey PRIMARY KEY,
    task text NOT NULL CONSTRAINT task_alerts_task_length CHECK (char_length(task) BETWEEN 1 AND 100),
    kind text NOT NULL CONSTRAINT task_alerts_kind_known CHECK (kind IN ('missed', 'overlong', 'failed')),
    reason text NOT NULL CONSTRAINT task_alerts_reason_length CHECK (char_length(reason) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL DEFAULT now(),
    mailed_at timestamptz,
    cleared_at timestamptz
  );
  COMMENT ON TABLE task_alerts IS 'Problems of scheduled tasks; cleared_at is when the task recovered.';
  CREATE UNIQUE INDEX task_alerts_open_once ON task_alerts (task, kind) WHERE cleared_at IS NULL;
  CREATE INDEX idx_task_alerts_created_at ON task_alerts (created_at DESC, id DESC);

  ALTER TABLE task_alerts ENABLE ROW LEVEL SECURITY;
  ALTER TABLE task_alerts FORCE ROW LEVEL SECURITY;
  CREATE POLICY task_alerts_admin_select ON task_alerts
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_alerts_definer_select ON task_alerts
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_alerts_definer_insert ON task_alerts
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY task_alerts_definer_update ON task_alerts
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON task_alerts TO gigvault_admin, gigvault_definer;
  GRANT INSERT (task, kind, reason), UPDATE (mailed_at, cleared_at) ON task_alerts TO gigvault_definer;
`;

/**
 * A row is one copy of the database. A backup counts only when it is verified: restored and compared. verified_at stays
 * during a second check and is cleared only if that fails. Rows outlive their files, so that the list shows the
 * history. An admin may request a new backup or another check; only a worker writes the result.
 * The worker has no UPDATE or DELETE on the table, but on columns and by a function: its login cannot lock the table.
 */
const BACKUPS = `
  CREATE TABLE backups (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT backups_pkey PRIMARY KEY,
    status text NOT NULL DEFAULT 'pending'
      CONSTRAINT backups_status_known CHECK (status IN ('pending', 'running', 'verified', 'failed')),
    started_by text NOT NULL CONSTRAINT backups_started_by_known CHECK (started_by IN ('schedule', 'boot', 'admin')),
    started_by_id bigint,
    reason text CONSTRAINT backups_reason_length CHECK (char_length(reason) BETWEEN 1 AND 500),
    store text CONSTRAINT backups_store_known CHECK (store IN ('folder', 's3')),
    file_name text CONSTRAINT backups_file_name_key UNIQUE
      CONSTRAINT backups_file_name_length CHECK (char_length(file_name) BETWEEN 1 AND 200),
    size_bytes bigint CONSTRAINT backups_size_bytes_positive CHECK (size_bytes > 0),
    sha256 text CONSTRAINT backups_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    migration text CONSTRAINT backups_migration_length CHECK (char_length(migration) BETWEEN 1 AND 200),
    master_keys text[] NOT NULL DEFAULT '{}',
    seal_key uuid,
    encrypted_canary text
      CONSTRAINT backups_encrypted_canary_length CHECK (char_length(encrypted_canary) BETWEEN 1 AND 1000),
    figures jsonb,
    error text CONSTRAINT backups_error_length CHECK (char_length(error) BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    verified_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT backups_asked_by_admin CHECK ((started_by_id IS NOT NULL) = (started_by = 'admin')),
    CONSTRAINT backups_whole
      CHECK ((size_bytes IS NULL) = (sha256 IS NULL) AND (size_bytes IS NULL OR file_name IS NOT NULL)),
    CONSTRAINT backups_verified_has_file CHECK (verified_at IS NULL OR size_bytes IS NOT NULL),
    CONSTRAINT backups_verified_since CHECK (status <> 'verified' OR verified_at IS NOT NULL),
    CONSTRAINT backups_failed_has_error CHECK (status <> 'failed' OR (error IS NOT NULL AND verified_at IS NULL))
  );
  COMMENT ON COLUMN backups.migration IS 'The newest applied migration at the time of the backup.';
  COMMENT ON COLUMN backups.master_keys IS 'The master keys that are needed to open the backup and its secrets.';
  COMMENT ON COLUMN backups.encrypted_canary IS
    'A text sealed before the dump; the check opens it in the restored copy.';
  COMMENT ON COLUMN backups.removed_at IS 'When its file was deleted by the retention policy.';
  CREATE INDEX idx_backups_waiting ON backups (id) WHERE status IN ('pending', 'running');

  ALTER TABLE backups ENABLE ROW LEVEL SECURITY;
  ALTER TABLE backups FORCE ROW LEVEL SECURITY;
  CREATE POLICY backups_worker_select ON backups
    FOR SELECT TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY backups_worker_insert ON backups
    FOR INSERT TO gigvault_worker WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY backups_worker_update ON backups
    FOR UPDATE TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY backups_definer_select ON backups
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY backups_definer_delete ON backups
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session) AND removed_at IS NOT NULL);
  CREATE POLICY backups_admin_select ON backups
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY backups_admin_insert ON backups FOR INSERT TO gigvault_admin
    WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND status = 'pending' AND file_name IS NULL);
  CREATE POLICY backups_admin_update ON backups FOR UPDATE TO gigvault_admin
    USING (EXISTS (SELECT FROM auth.signed_session) AND status IN ('verified', 'failed')
      AND size_bytes IS NOT NULL AND removed_at IS NULL)
    WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND status = 'pending');
  GRANT SELECT, INSERT, UPDATE (
    status, store, file_name, size_bytes, sha256, migration, master_keys, seal_key, encrypted_canary, figures, error,
    started_at, verified_at, removed_at
  ) ON backups TO gigvault_worker;
  GRANT SELECT, DELETE ON backups TO gigvault_definer;
  GRANT SELECT, INSERT (started_by, started_by_id, reason), UPDATE (status) ON backups TO gigvault_admin;
`;
