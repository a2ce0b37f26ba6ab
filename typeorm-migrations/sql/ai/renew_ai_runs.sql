-- A function of gigvault_auth, because the API, which calls it, has no login of gigvault_worker.
-- A process renews all its calls in one statement, so that a stream needs no connection of its own.
-- Numbers are clamped to what the columns and the reservation allow, so that one call with impossible numbers does not
-- fail the others.
CREATE FUNCTION auth.renew_ai_runs(usage jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      UPDATE public.ai_runs r
      SET seen_at = clock_timestamp(), provider = f.provider, model = f.model,
        input_ai_tokens = least(greatest(f."inputAiTokens", 0), 2147483647)::integer,
        output_ai_tokens = least(greatest(f."outputAiTokens", 0), 2147483647)::integer,
        cached_ai_tokens = least(greatest(f."cachedAiTokens", 0), 2147483647)::integer,
        cost_usd = least(greatest(f.cost, 0), r.reserved_usd)
      FROM jsonb_to_recordset(usage) AS f ("generationId" bigint, provider text, model text, "inputAiTokens" numeric,
        "outputAiTokens" numeric, "cachedAiTokens" numeric, cost numeric)
      WHERE r.generation_id = f."generationId"
    $$;
COMMENT ON FUNCTION auth.renew_ai_runs(jsonb) IS
  'Marks these calls as still running and stores their usage so far.';
GRANT EXECUTE ON FUNCTION auth.renew_ai_runs(jsonb) TO gigvault_auth;
ALTER FUNCTION auth.renew_ai_runs(jsonb) OWNER TO gigvault_definer;
