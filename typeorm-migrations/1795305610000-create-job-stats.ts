import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes user_job_stats, the seed's materialized view, its refresh and the tenant's window on it.
 *
 * The view belongs to gigvault_definer, whose policy sees all jobs: a refresh runs as the view's owner, and gigvault_owner
 * under FORCE ROW LEVEL SECURITY would empty it without a word. A materialized view has no row security, so no login reads
 * it; own_job_stats shows the tenant's row and is a security barrier, since nothing in it needs an index of the reader's.
 */
export class CreateJobStats implements MigrationInterface {
  readonly name = 'CreateJobStats1795305610000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(VIEW);
    await queryRunner.query(REFRESH);
    await queryRunner.query(OWN);
    await queryRunner.query(OWNERS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP VIEW own_job_stats;
      DROP FUNCTION refresh_user_job_stats();
      DROP MATERIALIZED VIEW user_job_stats;
      DROP TABLE app.view_refreshes;
    `);
  }
}

/** REFRESH … CONCURRENTLY asks for the unique index; without it readers would wait for the refresh. */
const VIEW = `
  CREATE MATERIALIZED VIEW user_job_stats AS
  SELECT
    user_id,
    COUNT(*) as total_jobs,
    COUNT(*) FILTER (WHERE status = 'active') as active_jobs,
    COUNT(*) FILTER (WHERE is_favorite = true) as favorite_jobs,
    AVG(budget_max - budget_min) as avg_budget_range,
    MAX(created_at) as last_job_date
  FROM jobs
  GROUP BY user_id;
  CREATE UNIQUE INDEX idx_user_job_stats_user_id ON user_job_stats (user_id);

  CREATE TABLE app.view_refreshes (
    view_name text CONSTRAINT view_refreshes_pkey PRIMARY KEY,
    refreshed_at timestamptz NOT NULL,
    duration_ms integer NOT NULL
  );
  COMMENT ON TABLE app.view_refreshes IS 'When each materialized view was last refreshed, and how long it took.';
  ALTER TABLE app.view_refreshes ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.view_refreshes FORCE ROW LEVEL SECURITY;
  CREATE POLICY view_refreshes_select ON app.view_refreshes FOR SELECT USING (true);
  CREATE POLICY view_refreshes_insert ON app.view_refreshes FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY view_refreshes_update ON app.view_refreshes FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT ON app.view_refreshes TO gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_definer;
  GRANT INSERT, UPDATE ON app.view_refreshes TO gigvault_definer;
  GRANT USAGE ON SCHEMA app TO gigvault_monitor;
`;

/** Two schedulers, one refresh: the second finds the lock taken and answers false instead of waiting. */
const REFRESH = `
  CREATE FUNCTION refresh_user_job_stats() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      started CONSTANT timestamptz := clock_timestamp();
    BEGIN
      IF NOT pg_try_advisory_xact_lock(hashtextextended('user_job_stats', 0)) THEN
        RETURN false;
      END IF;
      REFRESH MATERIALIZED VIEW CONCURRENTLY public.user_job_stats;
      INSERT INTO app.view_refreshes AS r (view_name, refreshed_at, duration_ms)
      VALUES ('user_job_stats', started, extract(epoch FROM clock_timestamp() - started) * 1000)
      ON CONFLICT (view_name) DO UPDATE SET refreshed_at = excluded.refreshed_at, duration_ms = excluded.duration_ms;
      RETURN true;
    END $$;
  COMMENT ON FUNCTION refresh_user_job_stats() IS 'Refreshes user_job_stats while others read it; false when another session is at it.';
`;

const OWN = `
  CREATE VIEW own_job_stats WITH (security_barrier) AS
  SELECT
    me.user_id,
    coalesce(s.total_jobs, 0) AS total_jobs,
    coalesce(s.active_jobs, 0) AS active_jobs,
    coalesce(s.favorite_jobs, 0) AS favorite_jobs,
    round(coalesce(s.avg_budget_range, 0), 2) AS avg_budget_range,
    s.last_job_date,
    r.refreshed_at
  FROM (SELECT auth.uid() AS user_id) me
  LEFT JOIN user_job_stats s ON s.user_id = me.user_id
  LEFT JOIN app.view_refreshes r ON r.view_name = 'user_job_stats'
  WHERE me.user_id IS NOT NULL;
  COMMENT ON VIEW own_job_stats IS 'The tenant''s row of user_job_stats, zeros where there is none, and when it was refreshed.';
`;

const OWNERS = `
  GRANT EXECUTE ON FUNCTION refresh_user_job_stats() TO gigvault_worker;
  GRANT SELECT ON own_job_stats TO gigvault_app;
  GRANT CREATE ON SCHEMA public TO gigvault_definer;
  ALTER VIEW own_job_stats OWNER TO gigvault_definer;
  ALTER FUNCTION refresh_user_job_stats() OWNER TO gigvault_definer;
  ALTER MATERIALIZED VIEW user_job_stats OWNER TO gigvault_definer;
  REVOKE CREATE ON SCHEMA public FROM gigvault_definer;
  SET LOCAL ROLE gigvault_definer;
  SELECT refresh_user_job_stats();
  SET LOCAL ROLE gigvault_owner;
`;
