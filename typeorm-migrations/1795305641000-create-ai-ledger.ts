import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the ledger of AI drafts. ai_budgets holds what a user allows and, in the same row, what is reserved and spent, so
 * that one UPDATE both checks and reserves: no number of parallel calls can pass it. ai_calls has one row for each call
 * of a vendor, however it ended. ai_runs holds the calls that are under way, renewed by the process that makes them; what
 * is not renewed belongs to a process that died, and app.end_orphaned_ai_runs() settles it. letter_versions keeps the
 * cover letters a draft replaced.
 */
export class CreateAiLedger implements MigrationInterface {
  readonly name = 'CreateAiLedger1795305641000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(COLUMNS);
    await queryRunner.query(BUDGETS);
    await queryRunner.query(CALLS);
    await queryRunner.query(RUNS);
    await queryRunner.query(LETTERS);
    await queryRunner.query(FUNCTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.end_orphaned_ai_runs(interval);
      DROP FUNCTION app.renew_ai_runs(jsonb);
      DROP TABLE letter_versions;
      DROP TABLE ai_runs;
      DROP TABLE ai_calls;
      DROP TABLE ai_budgets;
      DELETE FROM audit.audited_tables WHERE table_name IN ('letter_versions', 'ai_budgets');
      REVOKE SELECT, UPDATE ON ai_generations FROM gigvault_definer;
      DROP POLICY ai_generations_definer_select ON ai_generations;
      DROP POLICY ai_generations_definer_update ON ai_generations;
      ALTER TABLE proposals DROP CONSTRAINT proposals_user_id_id_key;
      ALTER TABLE ai_generations DROP CONSTRAINT ai_generations_user_id_id_key,
        DROP COLUMN instructions, DROP COLUMN findings, DROP COLUMN usage_is_estimated;
    `);
  }
}

const COLUMNS = `
  ALTER TABLE ai_generations
    ADD COLUMN instructions text CONSTRAINT ai_generations_instructions_length CHECK (char_length(instructions) <= 2000),
    ADD COLUMN findings jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN usage_is_estimated boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT ai_generations_user_id_id_key UNIQUE (user_id, id);
  COMMENT ON COLUMN ai_generations.usage_is_estimated IS 'The vendor broke off before it told the usage of a call.';
  GRANT UPDATE (findings, usage_is_estimated) ON ai_generations TO gigvault_app;
  CREATE POLICY ai_generations_definer_select ON ai_generations FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY ai_generations_definer_update ON ai_generations FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT, UPDATE ON ai_generations TO gigvault_definer;
  ALTER TABLE proposals ADD CONSTRAINT proposals_user_id_id_key UNIQUE (user_id, id);
`;

/**
 * The counters change with every call and are no change of what the user set: they are left out of version and audit
 * (ai_calls tells them all). A reservation belongs to no day: it counts against whatever day it is when another is asked
 * for, so midnight opens no gap; what is settled is spent on the day it is settled.
 */
const BUDGETS = `
  CREATE TABLE ai_budgets (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ai_budgets_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT ai_budgets_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    daily_usd numeric(10,2) CONSTRAINT ai_budgets_daily_usd_positive CHECK (daily_usd >= 0 AND daily_usd <> 'NaN'),
    monthly_usd numeric(10,2) CONSTRAINT ai_budgets_monthly_usd_positive CHECK (monthly_usd >= 0 AND monthly_usd <> 'NaN'),
    reserved_usd numeric(24,12) NOT NULL DEFAULT 0 CONSTRAINT ai_budgets_reserved_usd_positive CHECK (reserved_usd >= 0),
    day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    day_spent_usd numeric(24,12) NOT NULL DEFAULT 0 CONSTRAINT ai_budgets_day_spent_usd_positive CHECK (day_spent_usd >= 0),
    month date NOT NULL DEFAULT date_trunc('month', now() AT TIME ZONE 'UTC')::date,
    month_spent_usd numeric(24,12) NOT NULL DEFAULT 0 CONSTRAINT ai_budgets_month_spent_usd_positive CHECK (month_spent_usd >= 0),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ai_budgets_user_id_key UNIQUE (user_id)
  );
  COMMENT ON COLUMN ai_budgets.daily_usd IS 'NULL: the ceiling of the installation.';
  CREATE TRIGGER touch_row BEFORE UPDATE ON ai_budgets FOR EACH ROW
    EXECUTE FUNCTION app.touch_row(reserved_usd, day, day_spent_usd, month, month_spent_usd);
  SELECT audit.watch('ai_budgets', ignored => '{reserved_usd,day,day_spent_usd,month,month_spent_usd}');

  ALTER TABLE ai_budgets ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ai_budgets FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_budgets_own_data_select ON ai_budgets FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_budgets_own_data_insert ON ai_budgets FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_budgets_own_data_update ON ai_budgets FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_budgets_definer_select ON ai_budgets FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY ai_budgets_definer_update ON ai_budgets FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON ai_budgets TO gigvault_app;
  GRANT UPDATE (daily_usd, monthly_usd, reserved_usd, day, day_spent_usd, month, month_spent_usd) ON ai_budgets TO gigvault_app;
  GRANT SELECT, UPDATE ON ai_budgets TO gigvault_definer;
`;

/** Written once, when a call is over; nobody changes it. */
const CALLS = `
  CREATE TABLE ai_calls (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ai_calls_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid(),
    generation_id bigint NOT NULL,
    provider text NOT NULL CONSTRAINT ai_calls_provider_length CHECK (char_length(provider) BETWEEN 1 AND 50),
    model text NOT NULL CONSTRAINT ai_calls_model_length CHECK (char_length(model) BETWEEN 1 AND 100),
    status text NOT NULL CONSTRAINT ai_calls_status_known CHECK (status IN ('succeeded', 'failed', 'cut', 'cancelled', 'orphaned')),
    input_ai_tokens integer NOT NULL CONSTRAINT ai_calls_input_ai_tokens_positive CHECK (input_ai_tokens >= 0),
    output_ai_tokens integer NOT NULL CONSTRAINT ai_calls_output_ai_tokens_positive CHECK (output_ai_tokens >= 0),
    cached_ai_tokens integer NOT NULL CONSTRAINT ai_calls_cached_ai_tokens_positive CHECK (cached_ai_tokens >= 0),
    usage_is_estimated boolean NOT NULL,
    cost numeric(24,12) NOT NULL CONSTRAINT ai_calls_cost_positive CHECK (cost >= 0 AND cost <> 'NaN'),
    price_list_version text NOT NULL CONSTRAINT ai_calls_price_list_version_length CHECK (char_length(price_list_version) <= 50),
    duration_ms integer NOT NULL CONSTRAINT ai_calls_duration_ms_positive CHECK (duration_ms >= 0),
    error text CONSTRAINT ai_calls_error_length CHECK (char_length(error) <= 2000),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ai_calls_generation_id_fk FOREIGN KEY (user_id, generation_id) REFERENCES ai_generations (user_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN ai_calls.cost IS 'USD, 12 decimals, by the price list of price_list_version.';
  CREATE INDEX idx_ai_calls_generation_id ON ai_calls (user_id, generation_id);
  CREATE INDEX idx_ai_calls_created_at ON ai_calls (user_id, created_at DESC);

  ALTER TABLE ai_calls ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ai_calls FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_calls_own_data_select ON ai_calls FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_calls_own_data_insert ON ai_calls FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_calls_definer_insert ON ai_calls FOR INSERT TO gigvault_definer WITH CHECK (true);
  GRANT SELECT, INSERT ON ai_calls TO gigvault_app;
  GRANT INSERT ON ai_calls TO gigvault_definer;
`;

/** The figures are of the call under way, as of the last renewal: what is owed should the process die now. */
const RUNS = `
  CREATE TABLE ai_runs (
    generation_id bigint CONSTRAINT ai_runs_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid(),
    reserved_usd numeric(24,12) NOT NULL CONSTRAINT ai_runs_reserved_usd_positive CHECK (reserved_usd >= 0),
    provider text NOT NULL,
    model text NOT NULL,
    input_ai_tokens integer NOT NULL,
    output_ai_tokens integer NOT NULL,
    cached_ai_tokens integer NOT NULL,
    cost_usd numeric(24,12) NOT NULL,
    price_list_version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ai_runs_generation_id_fk FOREIGN KEY (user_id, generation_id) REFERENCES ai_generations (user_id, id) ON DELETE CASCADE
  );
  CREATE INDEX idx_ai_runs_generation_id ON ai_runs (user_id, generation_id);
  CREATE INDEX idx_ai_runs_seen_at ON ai_runs (seen_at);

  ALTER TABLE ai_runs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ai_runs FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_runs_own_data_select ON ai_runs FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_runs_own_data_insert ON ai_runs FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_runs_own_data_delete ON ai_runs FOR DELETE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY ai_runs_definer_select ON ai_runs FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY ai_runs_definer_update ON ai_runs FOR UPDATE TO gigvault_definer USING (true);
  CREATE POLICY ai_runs_definer_delete ON ai_runs FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT, DELETE ON ai_runs TO gigvault_app;
  GRANT SELECT, UPDATE, DELETE ON ai_runs TO gigvault_definer;
`;

/** A letter is kept whole; the generation it came from is NULL for one the user wrote himself. */
const LETTERS = `
  CREATE TABLE letter_versions (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT letter_versions_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid(),
    proposal_id bigint NOT NULL,
    generation_id bigint,
    letter text NOT NULL CONSTRAINT letter_versions_letter_length CHECK (char_length(letter) BETWEEN 1 AND 20000),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT letter_versions_proposal_id_fk FOREIGN KEY (user_id, proposal_id) REFERENCES proposals (user_id, id) ON DELETE CASCADE,
    CONSTRAINT letter_versions_generation_id_fk FOREIGN KEY (user_id, generation_id) REFERENCES ai_generations (user_id, id)
      ON DELETE SET NULL (generation_id)
  );
  CREATE INDEX idx_letter_versions_proposal_id ON letter_versions (user_id, proposal_id, id DESC);
  CREATE INDEX idx_letter_versions_generation_id ON letter_versions (user_id, generation_id);
  SELECT audit.watch('letter_versions');

  ALTER TABLE letter_versions ENABLE ROW LEVEL SECURITY;
  ALTER TABLE letter_versions FORCE ROW LEVEL SECURITY;
  CREATE POLICY letter_versions_own_data_select ON letter_versions FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY letter_versions_own_data_insert ON letter_versions FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  GRANT SELECT, INSERT ON letter_versions TO gigvault_app;
`;

/**
 * app.renew_ai_runs(): one statement a process and round, however many calls it has under way, so that a stream holds no
 * connection. app.end_orphaned_ai_runs(): settles what nobody renews; a process that comes back finds its run gone and
 * settles nothing a second time.
 */
const FUNCTIONS = `
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
  COMMENT ON FUNCTION app.renew_ai_runs(jsonb) IS 'Says that these calls are still under way, and what they have used so far.';

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
  COMMENT ON FUNCTION app.end_orphaned_ai_runs(interval) IS
    'Settles the AI calls that no process has renewed for so long, as failed, by what they had used; returns how many.';

  GRANT EXECUTE ON FUNCTION app.renew_ai_runs(jsonb), app.end_orphaned_ai_runs(interval) TO gigvault_worker;
  ALTER FUNCTION app.renew_ai_runs(jsonb) OWNER TO gigvault_definer;
  ALTER FUNCTION app.end_orphaned_ai_runs(interval) OWNER TO gigvault_definer;
`;
