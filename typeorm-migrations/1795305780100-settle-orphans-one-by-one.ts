import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets one AI call with impossible figures disturb no other: app.renew_ai_runs() takes any number and keeps what the
 * columns and the reservation allow, and app.end_orphaned_ai_runs() settles each call by itself, in a subtransaction.
 */
export class SettleOrphansOneByOne implements MigrationInterface {
  readonly name = 'SettleOrphansOneByOne1795305780100';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of [DROP, RENEW, END_ORPHANED, RIGHTS]) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const sql of [DROP, RENEW_BEFORE, END_ORPHANED_BEFORE, RIGHTS]) await queryRunner.query(sql);
  }
}

/** Only their owner may replace functions; the owner of the schema may drop them. */
const DROP = `
  DROP FUNCTION app.end_orphaned_ai_runs(interval);
  DROP FUNCTION app.renew_ai_runs(jsonb);
`;

const RIGHTS = `
  COMMENT ON FUNCTION app.renew_ai_runs(jsonb) IS 'Says that these calls are still under way, and what they have used so far.';
  COMMENT ON FUNCTION app.end_orphaned_ai_runs(interval) IS
    'Settles the AI calls that no process has renewed for so long, as failed, by what they had used; returns how many.';
  REVOKE ALL ON FUNCTION app.renew_ai_runs(jsonb), app.end_orphaned_ai_runs(interval) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION app.renew_ai_runs(jsonb), app.end_orphaned_ai_runs(interval) TO gigvault_worker;
  ALTER FUNCTION app.renew_ai_runs(jsonb) OWNER TO gigvault_definer;
  ALTER FUNCTION app.end_orphaned_ai_runs(interval) OWNER TO gigvault_definer;
`;

const RENEW = `
  CREATE FUNCTION app.renew_ai_runs(figures jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      UPDATE public.ai_runs r
      SET seen_at = clock_timestamp(), provider = f.provider, model = f.model,
        input_ai_tokens = least(greatest(f."inputAiTokens", 0), 2147483647)::integer,
        output_ai_tokens = least(greatest(f."outputAiTokens", 0), 2147483647)::integer,
        cached_ai_tokens = least(greatest(f."cachedAiTokens", 0), 2147483647)::integer,
        cost_usd = least(greatest(f.cost, 0), r.reserved_usd)
      FROM jsonb_to_recordset(figures) AS f ("generationId" bigint, provider text, model text, "inputAiTokens" numeric,
        "outputAiTokens" numeric, "cachedAiTokens" numeric, cost numeric)
      WHERE r.generation_id = f."generationId"
    $$;
`;

const END_ORPHANED = `
  CREATE FUNCTION app.end_orphaned_ai_runs(unseen_for interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      reason CONSTANT text := 'the server stopped while the vendor was writing';
      today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
      this_month CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
      run public.ai_runs;
      took integer;
      ended integer := 0;
      unseen_since CONSTANT timestamptz := clock_timestamp() - unseen_for;
    BEGIN
      -- All budgets before the first settlement, which locks app.ai_spending: the order of every other transaction.
      PERFORM FROM public.ai_budgets WHERE user_id IN (SELECT user_id FROM public.ai_runs WHERE seen_at < unseen_since)
      ORDER BY user_id FOR UPDATE;
      FOR run IN
        SELECT * FROM public.ai_runs WHERE seen_at < unseen_since
        ORDER BY user_id, generation_id LIMIT 1000 FOR UPDATE SKIP LOCKED
      LOOP
        -- A subtransaction each: one that cannot be settled must not keep the others.
        BEGIN
          run.cost_usd := greatest(run.cost_usd, 0);
          run.input_ai_tokens := greatest(run.input_ai_tokens, 0);
          run.output_ai_tokens := greatest(run.output_ai_tokens, 0);
          run.cached_ai_tokens := greatest(run.cached_ai_tokens, 0);
          took := least(greatest(1000 * extract(epoch FROM run.seen_at - run.started_at), 0), 2147483647)::integer;
          DELETE FROM public.ai_runs r WHERE r.generation_id = run.generation_id;
          UPDATE public.ai_budgets b
          SET reserved_usd = greatest(b.reserved_usd - run.reserved_usd, 0),
            day_spent_usd = CASE WHEN b.day = today THEN b.day_spent_usd ELSE 0 END + run.cost_usd, day = today,
            month_spent_usd = CASE WHEN b.month = this_month THEN b.month_spent_usd ELSE 0 END + run.cost_usd, month = this_month
          WHERE b.user_id = run.user_id;
          INSERT INTO public.ai_calls (user_id, generation_id, provider, model, status, input_ai_tokens, output_ai_tokens,
            cached_ai_tokens, usage_is_estimated, cost, price_list_version, duration_ms, error)
          VALUES (run.user_id, run.generation_id, run.provider, run.model, 'orphaned', run.input_ai_tokens, run.output_ai_tokens,
            run.cached_ai_tokens, true, run.cost_usd, run.price_list_version, took, reason);
          UPDATE public.ai_generations g
          SET status = 'failed', error = reason, provider = run.provider, model_used = run.model, input_ai_tokens = run.input_ai_tokens,
            output_ai_tokens = run.output_ai_tokens, cached_ai_tokens = run.cached_ai_tokens, usage_is_estimated = true,
            cost = run.cost_usd, price_list_version = run.price_list_version, duration_ms = took
          WHERE g.id = run.generation_id AND g.status IN ('pending', 'running');
          ended := ended + 1;
        EXCEPTION WHEN OTHERS THEN
          RAISE WARNING 'AI run % cannot be settled: %', run.generation_id, sqlerrm;
        END;
      END LOOP;
      RETURN ended;
    END $$;
`;

const RENEW_BEFORE = `
  CREATE FUNCTION app.renew_ai_runs(figures jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      UPDATE public.ai_runs r
      SET seen_at = clock_timestamp(), provider = f.provider, model = f.model, input_ai_tokens = f."inputAiTokens",
        output_ai_tokens = f."outputAiTokens", cached_ai_tokens = f."cachedAiTokens", cost_usd = f.cost
      FROM jsonb_to_recordset(figures) AS f ("generationId" bigint, provider text, model text, "inputAiTokens" integer,
        "outputAiTokens" integer, "cachedAiTokens" integer, cost numeric)
      WHERE r.generation_id = f."generationId"
    $$;
`;

const END_ORPHANED_BEFORE = `
  CREATE FUNCTION app.end_orphaned_ai_runs(unseen_for interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      reason CONSTANT text := 'the server stopped while the vendor was writing';
      today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
      this_month CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
      run public.ai_runs;
      took integer;
      ended integer := 0;
    BEGIN
      FOR run IN
        SELECT * FROM public.ai_runs WHERE seen_at < clock_timestamp() - unseen_for
        ORDER BY user_id, generation_id LIMIT 1000 FOR UPDATE SKIP LOCKED
      LOOP
        took := (1000 * extract(epoch FROM run.seen_at - run.started_at))::integer;
        DELETE FROM public.ai_runs r WHERE r.generation_id = run.generation_id;
        UPDATE public.ai_budgets b
        SET reserved_usd = b.reserved_usd - run.reserved_usd,
          day_spent_usd = CASE WHEN b.day = today THEN b.day_spent_usd ELSE 0 END + run.cost_usd, day = today,
          month_spent_usd = CASE WHEN b.month = this_month THEN b.month_spent_usd ELSE 0 END + run.cost_usd, month = this_month
        WHERE b.user_id = run.user_id;
        INSERT INTO public.ai_calls (user_id, generation_id, provider, model, status, input_ai_tokens, output_ai_tokens,
          cached_ai_tokens, usage_is_estimated, cost, price_list_version, duration_ms, error)
        VALUES (run.user_id, run.generation_id, run.provider, run.model, 'orphaned', run.input_ai_tokens, run.output_ai_tokens,
          run.cached_ai_tokens, true, run.cost_usd, run.price_list_version, took, reason);
        UPDATE public.ai_generations g
        SET status = 'failed', error = reason, provider = run.provider, model_used = run.model, input_ai_tokens = run.input_ai_tokens,
          output_ai_tokens = run.output_ai_tokens, cached_ai_tokens = run.cached_ai_tokens, usage_is_estimated = true,
          cost = run.cost_usd, price_list_version = run.price_list_version, duration_ms = took
        WHERE g.id = run.generation_id AND g.status IN ('pending', 'running');
        ended := ended + 1;
      END LOOP;
      RETURN ended;
    END $$;
`;
