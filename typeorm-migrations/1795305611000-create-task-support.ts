import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes idempotency_keys (a key, its effect and the answer are written in one transaction, and kept 24 hours), task_runs
 * (what the scheduled tasks did), task_settings and app.purge_expired().
 */
export class CreateTaskSupport implements MigrationInterface {
  readonly name = 'CreateTaskSupport1795305611000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(IDEMPOTENCY_KEYS);
    await queryRunner.query(TASK_RUNS);
    await queryRunner.query(PURGE);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.purge_expired();
      DROP TABLE task_settings;
      DROP TABLE task_runs;
      DROP TABLE idempotency_keys;
    `);
  }
}

const IDEMPOTENCY_KEYS = `
  CREATE TABLE idempotency_keys (
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT idempotency_keys_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    key text NOT NULL CONSTRAINT idempotency_keys_key_length CHECK (char_length(key) BETWEEN 1 AND 255),
    request_hash text NOT NULL CONSTRAINT idempotency_keys_request_hash_length CHECK (char_length(request_hash) BETWEEN 1 AND 128),
    status smallint CONSTRAINT idempotency_keys_status_http CHECK (status BETWEEN 100 AND 599),
    headers jsonb,
    body text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key)
  );
  COMMENT ON COLUMN idempotency_keys.status IS 'The answer''s; NULL while the request runs.';
  CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at);

  ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
  CREATE POLICY idempotency_keys_own_data_select ON idempotency_keys FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY idempotency_keys_own_data_insert ON idempotency_keys FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY idempotency_keys_own_data_update ON idempotency_keys FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY idempotency_keys_own_data_delete ON idempotency_keys FOR DELETE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY idempotency_keys_definer_select ON idempotency_keys FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY idempotency_keys_definer_delete ON idempotency_keys FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT, DELETE ON idempotency_keys TO gigvault_app;
  GRANT UPDATE (request_hash, status, headers, body, created_at) ON idempotency_keys TO gigvault_app;
  GRANT SELECT, DELETE ON idempotency_keys TO gigvault_definer;
`;

/**
 * A run is claimed by inserting it (a firing of the schedule, once by its instant) or by moving it on from 'queued' or
 * 'retrying'. lease_until is renewed by the worker that has it; past it another may take the run over, and `attempts`
 * tells the late one that it lost. What an admin asks for waits here as 'queued', so a queue that forgets loses nothing.
 */
const TASK_RUNS = `
  CREATE TABLE task_runs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT task_runs_pkey PRIMARY KEY,
    task text NOT NULL CONSTRAINT task_runs_task_length CHECK (char_length(task) BETWEEN 1 AND 100),
    scheduled_for timestamptz,
    started_by text NOT NULL CONSTRAINT task_runs_started_by_known CHECK (started_by IN ('schedule', 'boot', 'admin')),
    started_by_id bigint,
    retry_of bigint,
    outcome text NOT NULL CONSTRAINT task_runs_outcome_known
      CHECK (outcome IN ('queued', 'running', 'retrying', 'succeeded', 'skipped', 'failed', 'timed_out')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    lease_until timestamptz,
    ended_at timestamptz,
    figures jsonb,
    error text CONSTRAINT task_runs_error_length CHECK (char_length(error) <= 4000),
    CONSTRAINT task_runs_scheduled_once UNIQUE (task, scheduled_for),
    CONSTRAINT task_runs_scheduled_by_schedule CHECK ((scheduled_for IS NOT NULL) = (started_by = 'schedule')),
    CONSTRAINT task_runs_asked_by_admin CHECK ((started_by_id IS NOT NULL) = (started_by = 'admin')),
    CONSTRAINT task_runs_leased_while_running CHECK ((lease_until IS NOT NULL) = (outcome = 'running')),
    CONSTRAINT task_runs_started_before_ended CHECK ((started_at IS NULL) = (outcome = 'queued')),
    CONSTRAINT task_runs_ended_when_over CHECK ((ended_at IS NULL) = (outcome IN ('queued', 'running')))
  );
  COMMENT ON CONSTRAINT task_runs_scheduled_once ON task_runs IS 'Two workers, one run.';
  COMMENT ON COLUMN task_runs.started_by_id IS 'The admin who asked; no foreign key, the history outlives him.';
  CREATE INDEX idx_task_runs_task ON task_runs (task, id DESC);
  CREATE INDEX idx_task_runs_open ON task_runs (outcome, id) WHERE outcome IN ('queued', 'running', 'retrying');
  CREATE INDEX idx_task_runs_created_at ON task_runs (created_at);

  ALTER TABLE task_runs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE task_runs FORCE ROW LEVEL SECURITY;
  CREATE POLICY task_runs_worker_select ON task_runs FOR SELECT TO gigvault_worker USING (true);
  CREATE POLICY task_runs_worker_insert ON task_runs FOR INSERT TO gigvault_worker WITH CHECK (started_by <> 'admin');
  CREATE POLICY task_runs_worker_update ON task_runs FOR UPDATE TO gigvault_worker USING (true);
  CREATE POLICY task_runs_admin_select ON task_runs FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY task_runs_admin_insert ON task_runs FOR INSERT TO gigvault_admin
    WITH CHECK (started_by = 'admin' AND outcome = 'queued');
  CREATE POLICY task_runs_definer_select ON task_runs FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY task_runs_definer_delete ON task_runs FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON task_runs TO gigvault_worker;
  GRANT UPDATE (outcome, attempts, started_at, lease_until, ended_at, figures, error) ON task_runs TO gigvault_worker;
  GRANT SELECT ON task_runs TO gigvault_admin;
  GRANT INSERT (task, started_by, started_by_id, retry_of, outcome) ON task_runs TO gigvault_admin;
  GRANT SELECT, DELETE ON task_runs TO gigvault_definer;

  CREATE TABLE task_settings (
    task text CONSTRAINT task_settings_pkey PRIMARY KEY CONSTRAINT task_settings_task_length CHECK (char_length(task) BETWEEN 1 AND 100),
    paused boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE task_settings IS 'What an admin sets of a scheduled task; who did and why is in security_logs.';
  ALTER TABLE task_settings ENABLE ROW LEVEL SECURITY;
  ALTER TABLE task_settings FORCE ROW LEVEL SECURITY;
  CREATE POLICY task_settings_worker_select ON task_settings FOR SELECT TO gigvault_worker USING (true);
  CREATE POLICY task_settings_admin_select ON task_settings FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY task_settings_admin_insert ON task_settings FOR INSERT TO gigvault_admin WITH CHECK (true);
  CREATE POLICY task_settings_admin_update ON task_settings FOR UPDATE TO gigvault_admin USING (true);
  GRANT SELECT ON task_settings TO gigvault_worker, gigvault_admin;
  GRANT INSERT ON task_settings TO gigvault_admin;
  GRANT UPDATE (paused, updated_at) ON task_settings TO gigvault_admin;
`;

const PURGE = `
  CREATE FUNCTION app.purge_expired() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      keys bigint;
      runs bigint;
    BEGIN
      DELETE FROM public.idempotency_keys WHERE created_at < now() - interval '24 hours';
      GET DIAGNOSTICS keys = ROW_COUNT;
      DELETE FROM public.task_runs WHERE created_at < now() - interval '90 days' AND ended_at IS NOT NULL;
      GET DIAGNOSTICS runs = ROW_COUNT;
      RETURN jsonb_build_object('idempotencyKeys', keys, 'taskRuns', runs);
    END $$;
  COMMENT ON FUNCTION app.purge_expired() IS 'Deletes idempotency keys older than 24 hours and runs of tasks older than 90 days; returns how many.';
  GRANT EXECUTE ON FUNCTION app.purge_expired() TO gigvault_worker;
  ALTER FUNCTION app.purge_expired() OWNER TO gigvault_definer;
`;
