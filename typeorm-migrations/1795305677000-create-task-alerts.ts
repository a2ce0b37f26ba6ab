import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Makes task_alerts: what is wrong with scheduled tasks, one row for each trouble from its beginning to its end. */
export class CreateTaskAlerts implements MigrationInterface {
  readonly name = 'CreateTaskAlerts1795305677000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await queryRunner.query(MAIL);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.task_alerts_to_mail();
      DROP TABLE task_alerts;
    `);
  }
}

const TABLE = `
  CREATE TABLE task_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT task_alerts_pkey PRIMARY KEY,
    task text NOT NULL CONSTRAINT task_alerts_task_length CHECK (char_length(task) BETWEEN 1 AND 100),
    kind text NOT NULL CONSTRAINT task_alerts_kind_known CHECK (kind IN ('missed', 'overlong', 'failed')),
    reason text NOT NULL CONSTRAINT task_alerts_reason_length CHECK (char_length(reason) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL DEFAULT now(),
    mailed_at timestamptz,
    cleared_at timestamptz
  );
  COMMENT ON TABLE task_alerts IS 'What is or was wrong with scheduled tasks; cleared_at when it was well again.';
  CREATE UNIQUE INDEX task_alerts_standing_once ON task_alerts (task, kind) WHERE cleared_at IS NULL;
  CREATE INDEX idx_task_alerts_created_at ON task_alerts (created_at DESC, id DESC);

  ALTER TABLE task_alerts ENABLE ROW LEVEL SECURITY;
  ALTER TABLE task_alerts FORCE ROW LEVEL SECURITY;
  CREATE POLICY task_alerts_worker_select ON task_alerts FOR SELECT TO gigvault_worker USING (true);
  CREATE POLICY task_alerts_worker_insert ON task_alerts FOR INSERT TO gigvault_worker WITH CHECK (true);
  CREATE POLICY task_alerts_worker_update ON task_alerts FOR UPDATE TO gigvault_worker USING (true);
  CREATE POLICY task_alerts_admin_select ON task_alerts FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY task_alerts_definer_select ON task_alerts FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY task_alerts_definer_update ON task_alerts FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON task_alerts TO gigvault_worker;
  GRANT UPDATE (reason, cleared_at) ON task_alerts TO gigvault_worker;
  GRANT SELECT ON task_alerts TO gigvault_admin, gigvault_definer;
  GRANT UPDATE (mailed_at) ON task_alerts TO gigvault_definer;
`;

const MAIL = `
  CREATE FUNCTION app.task_alerts_to_mail() RETURNS TABLE (id bigint, task text, kind text, reason text, created_at timestamptz, recipient text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH taken AS (
        UPDATE public.task_alerts a SET mailed_at = now() WHERE a.mailed_at IS NULL AND a.cleared_at IS NULL
        RETURNING a.id, a.task, a.kind, a.reason, a.created_at
      )
      SELECT t.id, t.task, t.kind, t.reason, t.created_at, u.email
      FROM taken t JOIN public.users u ON u.role = 'admin' AND u.is_active AND u.is_verified
      ORDER BY t.id, u.id
    $$;
  COMMENT ON FUNCTION app.task_alerts_to_mail() IS
    'Takes the alerts that stand and nobody was told of, once for each admin; of several processes one gets them.';
  GRANT EXECUTE ON FUNCTION app.task_alerts_to_mail() TO gigvault_worker;
  ALTER FUNCTION app.task_alerts_to_mail() OWNER TO gigvault_definer;
`;
