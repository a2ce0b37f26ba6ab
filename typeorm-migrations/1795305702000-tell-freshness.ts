import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Says of what came from Upwork when it did, and lets a vacancy expire that no search has seen for as long as Upwork's
 * terms let it be kept. An expired vacancy keeps its row, for statistics count it and a search may see it again, but
 * nothing of what Upwork said: only that there was one. What the user made his own is his record and never expires: a
 * favourite, and what has a proposal, a message or an AI draft.
 */
export class TellFreshness implements MigrationInterface {
  readonly name = 'TellFreshness1795305702000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(COLUMNS);
    await queryRunner.query(TOUCH);
    await queryRunner.query(EXPIRE);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.expire_fetched_jobs(interval, integer);
      DROP POLICY jobs_definer_update ON jobs;
      REVOKE UPDATE ON jobs FROM gigvault_definer;
      DROP TRIGGER touch_row ON jobs;
      DROP TRIGGER touch_row ON proposals;
      DROP TRIGGER touch_row ON messages;
      CREATE TRIGGER touch_row BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION app.touch_row(
        budget_min_hundredths, budget_max_hundredths, hourly_rate_min_hundredths, hourly_rate_max_hundredths, search);
      CREATE TRIGGER touch_row BEFORE UPDATE ON proposals FOR EACH ROW EXECUTE FUNCTION app.touch_row();
      CREATE TRIGGER touch_row BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION app.touch_row();
      DROP INDEX idx_jobs_fetched_at;
      ALTER TABLE jobs DROP COLUMN fetched_at, DROP COLUMN expired_at;
      ALTER TABLE proposals DROP COLUMN fetched_at;
      ALTER TABLE messages DROP COLUMN fetched_at;
      ALTER TABLE saved_searches DROP COLUMN last_full_search_at;
      UPDATE audit.audited_tables SET ignored_columns = array_remove(ignored_columns, 'fetched_at')
        WHERE table_name IN ('jobs', 'proposals', 'messages');
      UPDATE audit.audited_tables SET ignored_columns = array_remove(ignored_columns, 'last_full_search_at') WHERE table_name = 'saved_searches';
    `);
  }
}

/** When something was seen again is no change of it: no audit row, no new version. */
const COLUMNS = `
  ALTER TABLE jobs ADD COLUMN fetched_at timestamptz, ADD COLUMN expired_at timestamptz;
  ALTER TABLE proposals ADD COLUMN fetched_at timestamptz;
  ALTER TABLE messages ADD COLUMN fetched_at timestamptz;
  ALTER TABLE saved_searches ADD COLUMN last_full_search_at timestamptz;
  COMMENT ON COLUMN jobs.fetched_at IS 'When a synchronisation last saw it, within the hour; NULL for what its user brought in himself.';
  COMMENT ON COLUMN jobs.expired_at IS 'When its content was given up; it was active then, and is again when a search sees it.';
  COMMENT ON COLUMN proposals.fetched_at IS 'When a synchronisation last saw it, within the hour.';
  COMMENT ON COLUMN messages.fetched_at IS 'When its text came from Upwork.';
  COMMENT ON COLUMN saved_searches.last_full_search_at IS 'When all its pages were last read, which keeps what it found from expiring.';
  CREATE INDEX idx_jobs_fetched_at ON jobs (fetched_at) WHERE fetched_at IS NOT NULL;
  GRANT UPDATE (fetched_at, expired_at) ON jobs TO gigvault_app;
  GRANT UPDATE (fetched_at) ON proposals TO gigvault_app;
  GRANT UPDATE (fetched_at) ON messages TO gigvault_app;
  GRANT UPDATE (last_full_search_at) ON saved_searches TO gigvault_app;
  UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{fetched_at}' WHERE table_name IN ('jobs', 'proposals', 'messages');
  UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{last_full_search_at}' WHERE table_name = 'saved_searches';
`;

const TOUCH = `
  DROP TRIGGER touch_row ON jobs;
  DROP TRIGGER touch_row ON proposals;
  DROP TRIGGER touch_row ON messages;
  CREATE TRIGGER touch_row BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION app.touch_row(
    budget_min_hundredths, budget_max_hundredths, hourly_rate_min_hundredths, hourly_rate_max_hundredths, search, fetched_at);
  CREATE TRIGGER touch_row BEFORE UPDATE ON proposals FOR EACH ROW EXECUTE FUNCTION app.touch_row(fetched_at);
  CREATE TRIGGER touch_row BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION app.touch_row(fetched_at);
`;

/** An archived or a deleted job stays what it is; only an active one is marked, so that it comes back as active. */
const EXPIRE = `
  CREATE POLICY jobs_definer_update ON jobs FOR UPDATE TO gigvault_definer USING (true);
  GRANT UPDATE ON jobs TO gigvault_definer;

  CREATE FUNCTION app.expire_fetched_jobs(keep interval, take integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH stale AS (
        SELECT j.id FROM public.jobs j
        WHERE j.fetched_at < now() - keep AND NOT j.is_favorite
          AND NOT EXISTS (SELECT FROM public.proposals p WHERE p.user_id = j.user_id AND p.job_id = j.id)
          AND NOT EXISTS (SELECT FROM public.messages m WHERE m.user_id = j.user_id AND m.job_id = j.id)
          AND NOT EXISTS (SELECT FROM public.ai_generations g WHERE g.user_id = j.user_id AND g.job_id = j.id)
        ORDER BY j.fetched_at LIMIT take FOR UPDATE SKIP LOCKED
      ), expired AS (
        UPDATE public.jobs j SET title = 'A vacancy no longer kept', description = NULL, budget_min = NULL, budget_max = NULL,
          hourly_rate_min = NULL, hourly_rate_max = NULL, skills = '{}', category = NULL, subcategory = NULL, country = NULL,
          client_info = NULL, job_type = NULL, experience_level = NULL, duration = NULL, workload = NULL, source_payload = NULL,
          fetched_at = NULL, expired_at = CASE WHEN j.status = 'active' THEN now() END,
          status = CASE WHEN j.status = 'active' THEN 'deleted' ELSE j.status END
        FROM stale WHERE j.id = stale.id
        RETURNING 1
      )
      SELECT count(*) FROM expired
    $$;
  COMMENT ON FUNCTION app.expire_fetched_jobs(interval, integer) IS
    'Gives up the content of vacancies that no search has seen for so long and their users made no use of; returns how many, at most take.';
  GRANT EXECUTE ON FUNCTION app.expire_fetched_jobs(interval, integer) TO gigvault_worker;
  ALTER FUNCTION app.expire_fetched_jobs(interval, integer) OWNER TO gigvault_definer;
`;
