-- Settles the calls that no process renews. A process that comes back finds no run, so nothing is settled twice.
CREATE FUNCTION app.end_orphaned_ai_runs(unseen_for interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      reason CONSTANT text := 'the server stopped while the vendor was writing';
      today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
      this_month CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
      run public.ai_runs;
      duration integer;
      ended integer := 0;
      unseen_since CONSTANT timestamptz := clock_timestamp() - unseen_for;
    BEGIN
      -- Locks all budgets before the first settlement locks app.ai_spending: the order of every other transaction.
      PERFORM FROM public.ai_budgets WHERE user_id IN (SELECT user_id FROM public.ai_runs WHERE seen_at < unseen_since)
      ORDER BY user_id FOR UPDATE;
      FOR run IN
        SELECT * FROM public.ai_runs WHERE seen_at < unseen_since
        ORDER BY user_id, generation_id LIMIT 1000 FOR UPDATE SKIP LOCKED
      LOOP
        -- Each has a subtransaction, so that one that cannot be settled does not stop the others.
        BEGIN
          run.cost_usd := greatest(run.cost_usd, 0);
          run.input_ai_tokens := greatest(run.input_ai_tokens, 0);
          run.output_ai_tokens := greatest(run.output_ai_tokens, 0);
          run.cached_ai_tokens := greatest(run.cached_ai_tokens, 0);
          duration := least(greatest(1000 * extract(epoch FROM run.seen_at - run.started_at), 0), 2147483647)::integer;
          DELETE FROM public.ai_runs r WHERE r.generation_id = run.generation_id;
          UPDATE public.ai_budgets b
          SET reserved_usd = greatest(b.reserved_usd - run.reserved_usd, 0),
            day_spent_usd = CASE WHEN b.day = today THEN b.day_spent_usd ELSE 0 END + run.cost_usd, day = today,
            month_spent_usd = CASE WHEN b.month = this_month THEN b.month_spent_usd ELSE 0 END + run.cost_usd,
            month = this_month
          WHERE b.user_id = run.user_id;
          INSERT INTO public.ai_calls (user_id, generation_id, provider, model, status, input_ai_tokens,
            output_ai_tokens, cached_ai_tokens, usage_is_estimated, cost, price_list_version, duration_ms, error)
          VALUES (run.user_id, run.generation_id, run.provider, run.model, 'orphaned', run.input_ai_tokens,
            run.output_ai_tokens, run.cached_ai_tokens, true, run.cost_usd, run.price_list_version, duration, reason);
          UPDATE public.ai_generations g
          SET status = 'failed', error = reason, provider = run.provider, model_used = run.model,
            input_ai_tokens = run.input_ai_tokens, output_ai_tokens = run.output_ai_tokens,
            cached_ai_tokens = run.cached_ai_tokens, usage_is_estimated = true, cost = run.cost_usd,
            price_list_version = run.price_list_version, duration_ms = duration
          WHERE g.id = run.generation_id AND g.status IN ('pending', 'running');
          ended := ended + 1;
        EXCEPTION WHEN OTHERS THEN
          RAISE WARNING 'AI run % cannot be settled: %', run.generation_id, sqlerrm;
        END;
      END LOOP;
      RETURN ended;
    END $$;
COMMENT ON FUNCTION app.end_orphaned_ai_runs(interval) IS
  'Settles the AI calls that no process renewed within the interval: failed, at the cost so far. Returns the number.';
GRANT EXECUTE ON FUNCTION app.end_orphaned_ai_runs(interval) TO gigvault_worker;
ALTER FUNCTION app.end_orphaned_ai_runs(interval) OWNER TO gigvault_definer;
