import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes app.record_daily_metrics(), which counts what each user did on each day (UTC) into analytics, and
 * proposals.won_at and rejected_at, without which nothing would tell on which day a proposal was won, or that one was once it
 * is archived.
 *
 * The function writes a row again only if its figure changed, so that repeating it leaves no trace in the audit; a figure
 * that has fallen to nothing becomes 0. metric_value has two decimals, as the first design says: what an AI call costs is
 * less than that, so the exact sum stands in metric_data.
 */
export class RecordDailyMetrics implements MigrationInterface {
  readonly name = 'RecordDailyMetrics1795305676000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(DECIDED);
    await queryRunner.query(ACCESS);
    await queryRunner.query(RECORD);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.record_daily_metrics(date, date);
      DROP POLICY analytics_definer_select ON analytics;
      DROP POLICY analytics_definer_insert ON analytics;
      DROP POLICY analytics_definer_update ON analytics;
      DROP POLICY proposals_definer_select ON proposals;
      DROP POLICY messages_definer_select ON messages;
      DROP POLICY ai_calls_definer_select ON ai_calls;
      REVOKE SELECT, INSERT ON analytics FROM gigvault_definer;
      REVOKE UPDATE (metric_value, metric_data) ON analytics FROM gigvault_definer;
      REVOKE SELECT ON proposals, messages, ai_calls FROM gigvault_definer;
      DROP TRIGGER stamp_decision ON proposals;
      DROP FUNCTION app.stamp_decision();
      UPDATE audit.audited_tables SET ignored_columns = array_remove(array_remove(ignored_columns, 'won_at'), 'rejected_at') WHERE table_name = 'proposals';
      ALTER TABLE proposals DROP COLUMN won_at, DROP COLUMN rejected_at;
    `);
  }
}

/** They follow from the status, which is audited, so they are none of the audit's. Triggers fire by name: before touch_row. */
const DECIDED = `
  ALTER TABLE proposals ADD COLUMN won_at timestamptz, ADD COLUMN rejected_at timestamptz;
  COMMENT ON COLUMN proposals.won_at IS 'When it became accepted; kept when it is archived.';
  COMMENT ON COLUMN proposals.rejected_at IS 'When it became rejected; kept when it is archived.';
  UPDATE audit.audited_tables SET ignored_columns = ignored_columns || '{won_at,rejected_at}' WHERE table_name = 'proposals';

  CREATE FUNCTION app.stamp_decision() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      NEW.won_at := CASE NEW.status WHEN 'accepted' THEN now() END;
      NEW.rejected_at := CASE NEW.status WHEN 'rejected' THEN now() END;
      IF TG_OP = 'UPDATE' AND NEW.status IN (OLD.status, 'archived') THEN
        NEW.won_at := OLD.won_at;
        NEW.rejected_at := OLD.rejected_at;
      END IF;
      RETURN NEW;
    END $$;
  COMMENT ON FUNCTION app.stamp_decision() IS 'BEFORE INSERT OR UPDATE: keeps proposals.won_at and rejected_at, which nobody else sets.';
  CREATE TRIGGER stamp_decision BEFORE INSERT OR UPDATE ON proposals FOR EACH ROW EXECUTE FUNCTION app.stamp_decision();
`;

const ACCESS = `
  CREATE POLICY analytics_definer_select ON analytics FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY analytics_definer_insert ON analytics FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY analytics_definer_update ON analytics FOR UPDATE TO gigvault_definer USING (true);
  CREATE POLICY proposals_definer_select ON proposals FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY messages_definer_select ON messages FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY ai_calls_definer_select ON ai_calls FOR SELECT TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON analytics TO gigvault_definer;
  GRANT UPDATE (metric_value, metric_data) ON analytics TO gigvault_definer;
  GRANT SELECT ON proposals, messages, ai_calls TO gigvault_definer;
`;

/**
 * An answer is the first thing heard of a proposal: a message of the client about its job, or the decision. Two runs at
 * once would meet on the same rows: the second waits.
 */
const RECORD = `
  CREATE FUNCTION app.record_daily_metrics(first_day date, last_day date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    SET jit = off
    AS $$
    DECLARE
      names CONSTANT text[] := '{jobs_seen,proposals_sent,answers,wins,ai_cost_usd}';
      since CONSTANT timestamptz := first_day;
      until CONSTANT timestamptz := last_day + 1;
      counted bigint;
      written bigint;
    BEGIN
      IF first_day IS NULL OR last_day IS NULL OR last_day < first_day THEN
        RAISE EXCEPTION 'days run from % to %', first_day, last_day USING ERRCODE = 'invalid_parameter_value';
      END IF;
      PERFORM pg_advisory_xact_lock(hashtextextended('daily_metrics', 0));
      WITH answered AS (
        SELECT p.user_id, least(p.won_at, p.rejected_at, m.at) AS at
        FROM public.proposals p
        LEFT JOIN LATERAL (
          SELECT min(m.created_at) AS at FROM public.messages m
          WHERE m.user_id = p.user_id AND m.job_id = p.job_id AND m.sender_type = 'client' AND m.created_at >= p.submitted_at
        ) m ON true
        -- Answers come after sending, and seldom a year after.
        WHERE p.submitted_at < until AND p.submitted_at >= since - interval '400 days'
      ), happened AS (
        SELECT user_id, 'jobs_seen' AS metric, created_at::date AS day, count(*)::numeric AS value
        FROM public.jobs WHERE created_at >= since AND created_at < until GROUP BY 1, 3
        UNION ALL
        SELECT user_id, 'proposals_sent', submitted_at::date, count(*)
        FROM public.proposals WHERE submitted_at >= since AND submitted_at < until GROUP BY 1, 3
        UNION ALL
        SELECT user_id, 'answers', at::date, count(*) FROM answered WHERE at >= since AND at < until GROUP BY 1, 3
        UNION ALL
        SELECT user_id, 'wins', won_at::date, count(*)
        FROM public.proposals WHERE won_at >= since AND won_at < until GROUP BY 1, 3
        UNION ALL
        SELECT user_id, 'ai_cost_usd', created_at::date, sum(cost)
        FROM public.ai_calls WHERE created_at >= since AND created_at < until GROUP BY 1, 3
      ), wanted AS (
        SELECT user_id, metric, day, round(value, 2) AS value,
          CASE metric WHEN 'ai_cost_usd' THEN jsonb_build_object('usd', value::text) END AS data
        FROM happened
        UNION ALL
        SELECT a.user_id, a.metric_name, a.date, 0, NULL
        FROM public.analytics a
        WHERE a.date BETWEEN first_day AND last_day AND a.metric_name = ANY (names) AND a.metric_value <> 0
          AND NOT EXISTS (SELECT FROM happened h WHERE h.user_id = a.user_id AND h.metric = a.metric_name AND h.day = a.date)
      ), put AS (
        INSERT INTO public.analytics AS a (user_id, metric_name, date, metric_value, metric_data)
        SELECT user_id, metric, day, value, data FROM wanted ORDER BY user_id, day, metric
        ON CONFLICT (user_id, metric_name, date) DO UPDATE SET metric_value = excluded.metric_value, metric_data = excluded.metric_data
        WHERE (a.metric_value, a.metric_data) IS DISTINCT FROM (excluded.metric_value, excluded.metric_data)
        RETURNING 1
      )
      SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM put) INTO counted, written;
      RETURN jsonb_build_object('counted', counted, 'written', written);
    END $$;
  COMMENT ON FUNCTION app.record_daily_metrics(date, date) IS
    'Counts jobs_seen, proposals_sent, answers, wins and ai_cost_usd of each user and day (UTC) into analytics; may be repeated. Returns how many figures there are and how many changed.';
  GRANT EXECUTE ON FUNCTION app.record_daily_metrics(date, date) TO gigvault_worker;
  ALTER FUNCTION app.record_daily_metrics(date, date) OWNER TO gigvault_definer;
`;
