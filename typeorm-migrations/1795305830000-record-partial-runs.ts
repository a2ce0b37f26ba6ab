import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Adds the outcome `partial` for runs that ended and whose figures count failures, keeps the error of every failed attempt
 * of a run, and lets admins read how many synchronisations, webhook deliveries and emails fail now.
 */
export class RecordPartialRuns1795305830000 implements MigrationInterface {
  readonly name = 'RecordPartialRuns1795305830000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(OUTCOMES);
    await queryRunner.query(ATTEMPTS);
    await queryRunner.query(FAULTS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.service_faults();
      ALTER TABLE task_runs DROP COLUMN failed_attempts;
      UPDATE task_runs SET outcome = 'succeeded' WHERE outcome = 'partial';
      ALTER TABLE task_runs DROP CONSTRAINT task_runs_outcome_known,
        ADD CONSTRAINT task_runs_outcome_known
          CHECK (outcome IN ('queued', 'running', 'retrying', 'succeeded', 'skipped', 'failed', 'timed_out'));
    `);
  }
}

/** Runs of before keep their outcome: it is what was told of them then. */
const OUTCOMES = `
  ALTER TABLE task_runs DROP CONSTRAINT task_runs_outcome_known,
    ADD CONSTRAINT task_runs_outcome_known
      CHECK (outcome IN ('queued', 'running', 'retrying', 'succeeded', 'partial', 'skipped', 'failed', 'timed_out'));
`;

const ATTEMPTS = `
  ALTER TABLE task_runs ADD COLUMN failed_attempts jsonb NOT NULL DEFAULT '[]'
    CONSTRAINT task_runs_failed_attempts_list CHECK (jsonb_typeof(failed_attempts) = 'array');
  COMMENT ON COLUMN task_runs.failed_attempts IS 'Each attempt that failed: attempt, startedAt, endedAt, error.';
  GRANT UPDATE (failed_attempts) ON task_runs TO gigvault_worker;
`;

const FAULTS = `
  CREATE FUNCTION app.service_faults()
    RETURNS TABLE (syncs bigint, failing_syncs bigint, failing_deliveries bigint, lost_deliveries bigint, failing_mails bigint, lost_mails bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    SELECT s.all_of_them, s.failing, d.failing, d.lost, m.failing, m.lost
    FROM (
      SELECT count(*) AS all_of_them, count(*) FILTER (WHERE s.failures > 0) AS failing
      FROM public.syncs s
      JOIN public.user_tokens t ON t.user_id = s.user_id AND t.id = s.token_id
      JOIN public.users u ON u.id = s.user_id
      WHERE u.is_active AND t.status <> 'reconnect_needed'
    ) s, (
      SELECT count(*) FILTER (WHERE d.status = 'pending') AS failing, count(*) FILTER (WHERE d.status = 'failed') AS lost
      FROM public.alert_deliveries d
      WHERE (d.status = 'pending' AND d.attempts > 0 AND d.last_error IS NOT NULL)
        OR (d.status = 'failed' AND d.created_at > now() - interval '1 day')
    ) d, (
      SELECT count(*) FILTER (WHERE m.status = 'pending') AS failing, count(*) FILTER (WHERE m.status = 'failed') AS lost
      FROM public.mail_outbox m
      WHERE (m.status = 'pending' AND m.attempts > 0 AND m.error IS NOT NULL)
        OR (m.status = 'failed' AND m.ended_at > now() - interval '1 day')
    ) m
  $$;
  COMMENT ON FUNCTION app.service_faults() IS
    'Counts, over all tenants, what fails now: synchronisations, deliveries and emails tried again, and those given up within a day.';
  GRANT EXECUTE ON FUNCTION app.service_faults() TO gigvault_admin;
  ALTER FUNCTION app.service_faults() OWNER TO gigvault_definer;
`;
