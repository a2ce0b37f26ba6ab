import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates ai_generations (AI drafts), the ledger of their costs, and letter_versions, the cover letters that a draft
 * replaced.
 *
 * ai_calls has one row for each call of a vendor, with any outcome. ai_runs has the running calls, which their
 * process renews. A run that is not renewed belongs to a dead process; app.end_orphaned_ai_runs() settles it.
 *
 * A row of ai_budgets has a user's limits and what is reserved and spent, so that one UPDATE both checks and reserves:
 * parallel calls cannot exceed it. app.ai_spending is the sum over all users, for the ceiling of the installation. A
 * trigger on ai_budgets updates it in the transaction of every reservation and settlement. app.exceeded_ai_ceiling()
 * returns the exceeded ceiling; the caller reserves, calls it, and rolls back if one is exceeded. Locks are always
 * taken in the order ai_budgets, app.ai_spending.
 */
export class Ai implements MigrationInterface {
  readonly name = 'Ai1795305910000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(GENERATIONS);
    await queryRunner.query(CALLS);
    await queryRunner.query(RUNS);
    await queryRunner.query(LETTER_VERSIONS);
    await queryRunner.query(BUDGETS);
    await queryRunner.query(SPENDING);
    await createFunctions(queryRunner, 'ai', [
      ...['renew_ai_runs', 'orphaned_ai_runs', 'end_orphaned_ai_runs', 'count_ai_spending', 'exceeded_ai_ceiling'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE app.ai_spending, ai_budgets, letter_versions, ai_runs, ai_calls, ai_generations;
      DROP FUNCTION
        app.exceeded_ai_ceiling(numeric, numeric),
        app.count_ai_spending(),
        app.end_orphaned_ai_runs(interval),
        app.orphaned_ai_runs(interval),
        auth.renew_ai_runs(jsonb);
      DELETE FROM audit.audited_tables WHERE table_name IN ('ai_budgets', 'letter_versions', 'ai_generations');
    `);
  }
}

/**
 * A failed or interrupted call also costs money, so response may be NULL; status is the outcome. A draft need not
 * belong to a job. Prices have more than six decimals a token. tokens_used and success follow from other columns.
 * template_id is the template of the draft, so that templates can be compared by their wins.
 */
const GENERATIONS = `
  CREATE TABLE ai_generations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ai_generations_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT ai_generations_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    job_id bigint,
    generation_type text NOT NULL
      CONSTRAINT ai_generations_type_known CHECK (generation_type IN ('proposal', 'cover_letter', 'message')),
    status text NOT NULL DEFAULT 'pending' CONSTRAINT ai_generations_status_known
      CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    prompt text NOT NULL CONSTRAINT ai_generations_prompt_length CHECK (char_length(prompt) BETWEEN 1 AND 200000),
    response text CONSTRAINT ai_generations_response_length CHECK (char_length(response) <= 200000),
    provider text CONSTRAINT ai_generations_provider_length CHECK (char_length(provider) BETWEEN 1 AND 50),
    model_used text CONSTRAINT ai_generations_model_used_length CHECK (char_length(model_used) BETWEEN 1 AND 100),
    input_ai_tokens integer CONSTRAINT ai_generations_input_ai_tokens_positive CHECK (input_ai_tokens >= 0),
    output_ai_tokens integer CONSTRAINT ai_generations_output_ai_tokens_positive CHECK (output_ai_tokens >= 0),
    cached_ai_tokens integer CONSTRAINT ai_generations_cached_ai_tokens_positive CHECK (cached_ai_tokens >= 0),
    tokens_used bigint
      GENERATED ALWAYS AS (coalesce(input_ai_tokens, 0)::bigint + coalesce(output_ai_tokens, 0)) STORED,
    cost numeric(24,12) CONSTRAINT ai_generations_cost_positive CHECK (cost >= 0 AND cost <> 'NaN'),
    price_list_version text
      CONSTRAINT ai_generations_price_list_version_length CHECK (char_length(price_list_version) <= 50),
    success boolean GENERATED ALWAYS AS (status = 'succeeded') STORED,
    error text CONSTRAINT ai_generations_error_length CHECK (char_length(error) <= 2000),
    duration_ms integer CONSTRAINT ai_generations_duration_ms_positive CHECK (duration_ms >= 0),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    instructions text CONSTRAINT ai_generations_instructions_length CHECK (char_length(instructions) <= 2000),
    findings jsonb NOT NULL DEFAULT '[]',
    usage_is_estimated boolean NOT NULL DEFAULT false,
    template_id bigint,
    CONSTRAINT ai_generations_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT ai_generations_job_id_fk FOREIGN KEY (user_id, job_id)
      REFERENCES jobs (user_id, id) ON DELETE SET NULL (job_id),
    CONSTRAINT ai_generations_response_when_succeeded CHECK (status <> 'succeeded' OR response IS NOT NULL)
  );
  COMMENT ON COLUMN ai_generations.cost IS 'USD, 12 decimals, by the price list of price_list_version.';
  COMMENT ON COLUMN ai_generations.usage_is_estimated IS 'True when the vendor reported no usage for a call.';
  COMMENT ON COLUMN ai_generations.template_id IS
    'The template of the draft. No foreign key, because a draft outlives its template.';
  CREATE INDEX idx_ai_generations_job_id ON ai_generations (user_id, job_id, created_at DESC, id DESC);
  CREATE INDEX idx_ai_generations_type ON ai_generations (user_id, generation_type, created_at DESC, id DESC);
  CREATE INDEX idx_ai_generations_created_at ON ai_generations (user_id, created_at DESC, id DESC);

  CREATE TRIGGER set_updated_at BEFORE UPDATE ON ai_generations
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(tokens_used, success);
  SELECT audit.enable('ai_generations');

  ALTER TABLE ai_generations ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ai_generations FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_generations_own_data_select ON ai_generations
    FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_generations_own_data_insert ON ai_generations FOR INSERT
    WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_generations_own_data_update ON ai_generations
    FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_generations_definer_select ON ai_generations
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY ai_generations_definer_update ON ai_generations
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON ai_generations TO gigvault_app;
  GRANT UPDATE (status, response, provider, model_used, input_ai_tokens, output_ai_tokens, cached_ai_tokens, cost,
    price_list_version, error, duration_ms, findings, usage_is_estimated) ON ai_generations TO gigvault_app;
  GRANT SELECT, UPDATE ON ai_generations TO gigvault_definer;
`;

/** A row is written once, when a call has ended, and never changes. */
const CALLS = `
  CREATE TABLE ai_calls (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ai_calls_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid(),
    generation_id bigint NOT NULL,
    provider text NOT NULL CONSTRAINT ai_calls_provider_length CHECK (char_length(provider) BETWEEN 1 AND 50),
    model text NOT NULL CONSTRAINT ai_calls_model_length CHECK (char_length(model) BETWEEN 1 AND 100),
    status text NOT NULL CONSTRAINT ai_calls_status_known
      CHECK (status IN ('succeeded', 'failed', 'cut', 'cancelled', 'orphaned')),
    input_ai_tokens integer NOT NULL CONSTRAINT ai_calls_input_ai_tokens_positive CHECK (input_ai_tokens >= 0),
    output_ai_tokens integer NOT NULL CONSTRAINT ai_calls_output_ai_tokens_positive CHECK (output_ai_tokens >= 0),
    cached_ai_tokens integer NOT NULL CONSTRAINT ai_calls_cached_ai_tokens_positive CHECK (cached_ai_tokens >= 0),
    usage_is_estimated boolean NOT NULL,
    cost numeric(24,12) NOT NULL CONSTRAINT ai_calls_cost_positive CHECK (cost >= 0 AND cost <> 'NaN'),
    price_list_version text NOT NULL
      CONSTRAINT ai_calls_price_list_version_length CHECK (char_length(price_list_version) <= 50),
    duration_ms integer NOT NULL CONSTRAINT ai_calls_duration_ms_positive CHECK (duration_ms >= 0),
    error text CONSTRAINT ai_calls_error_length CHECK (char_length(error) <= 2000),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ai_calls_generation_id_fk FOREIGN KEY (user_id, generation_id)
      REFERENCES ai_generations (user_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN ai_calls.cost IS 'USD, 12 decimals, by the price list of price_list_version.';
  CREATE INDEX idx_ai_calls_generation_id ON ai_calls (user_id, generation_id);
  CREATE INDEX idx_ai_calls_created_at ON ai_calls (user_id, created_at DESC);

  ALTER TABLE ai_calls ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ai_calls FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_calls_own_data_select ON ai_calls FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_calls_own_data_insert ON ai_calls
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_calls_definer_select ON ai_calls
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY ai_calls_definer_insert ON ai_calls
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON ai_calls TO gigvault_app;
  GRANT SELECT, INSERT ON ai_calls TO gigvault_definer;
`;

/** The numbers are those of a running call at its last renewal: what it costs if the process dies now. */
const RUNS = `
  CREATE TABLE ai_runs (
    generation_id bigint CONSTRAINT ai_runs_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid(),
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
    CONSTRAINT ai_runs_generation_id_fk FOREIGN KEY (user_id, generation_id)
      REFERENCES ai_generations (user_id, id) ON DELETE CASCADE
  );
  CREATE INDEX idx_ai_runs_generation_id ON ai_runs (user_id, generation_id);
  CREATE INDEX idx_ai_runs_seen_at ON ai_runs (seen_at);

  ALTER TABLE ai_runs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ai_runs FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_runs_own_data_select ON ai_runs FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_runs_own_data_insert ON ai_runs FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_runs_own_data_delete ON ai_runs FOR DELETE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_runs_definer_select ON ai_runs
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY ai_runs_definer_update ON ai_runs
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY ai_runs_definer_delete ON ai_runs
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT, DELETE ON ai_runs TO gigvault_app;
  GRANT SELECT, UPDATE, DELETE ON ai_runs TO gigvault_definer;
`;

/** A row has a whole cover letter. generation_id is NULL for one that the user wrote. */
const LETTER_VERSIONS = `
  CREATE TABLE letter_versions (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT letter_versions_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid(),
    proposal_id bigint NOT NULL,
    generation_id bigint,
    letter text NOT NULL CONSTRAINT letter_versions_letter_length CHECK (char_length(letter) BETWEEN 1 AND 20000),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT letter_versions_proposal_id_fk FOREIGN KEY (user_id, proposal_id)
      REFERENCES proposals (user_id, id) ON DELETE CASCADE,
    CONSTRAINT letter_versions_generation_id_fk FOREIGN KEY (user_id, generation_id)
      REFERENCES ai_generations (user_id, id) ON DELETE SET NULL (generation_id)
  );
  CREATE INDEX idx_letter_versions_proposal_id ON letter_versions (user_id, proposal_id, id DESC);
  CREATE INDEX idx_letter_versions_generation_id ON letter_versions (user_id, generation_id);
  SELECT audit.enable('letter_versions');

  ALTER TABLE letter_versions ENABLE ROW LEVEL SECURITY;
  ALTER TABLE letter_versions FORCE ROW LEVEL SECURITY;
  CREATE POLICY letter_versions_own_data_select ON letter_versions
    FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY letter_versions_own_data_insert ON letter_versions FOR INSERT
    WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  GRANT SELECT, INSERT ON letter_versions TO gigvault_app;
`;

/**
 * The counters change with every call and are not the user's settings, so version and audit ignore them (ai_calls has
 * them all). A reservation has no day: it counts on the day of the next request, so midnight leaves no gap. A settled
 * amount is spent on the day of its settlement.
 */
const BUDGETS = `
  CREATE TABLE ai_budgets (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ai_budgets_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT ai_budgets_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    daily_usd numeric(10,2) CONSTRAINT ai_budgets_daily_usd_positive CHECK (daily_usd >= 0 AND daily_usd <> 'NaN'),
    monthly_usd numeric(10,2)
      CONSTRAINT ai_budgets_monthly_usd_positive CHECK (monthly_usd >= 0 AND monthly_usd <> 'NaN'),
    reserved_usd numeric(24,12) NOT NULL DEFAULT 0
      CONSTRAINT ai_budgets_reserved_usd_positive CHECK (reserved_usd >= 0),
    day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    day_spent_usd numeric(24,12) NOT NULL DEFAULT 0
      CONSTRAINT ai_budgets_day_spent_usd_positive CHECK (day_spent_usd >= 0),
    month date NOT NULL DEFAULT date_trunc('month', now() AT TIME ZONE 'UTC')::date,
    month_spent_usd numeric(24,12) NOT NULL DEFAULT 0
      CONSTRAINT ai_budgets_month_spent_usd_positive CHECK (month_spent_usd >= 0),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ai_budgets_user_id_key UNIQUE (user_id)
  );
  COMMENT ON COLUMN ai_budgets.daily_usd IS 'NULL: the ceiling of the installation.';
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON ai_budgets FOR EACH ROW
    EXECUTE FUNCTION app.set_updated_at(reserved_usd, day, day_spent_usd, month, month_spent_usd);
  SELECT audit.enable('ai_budgets', ignored => '{reserved_usd,day,day_spent_usd,month,month_spent_usd}');

  ALTER TABLE ai_budgets ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ai_budgets FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_budgets_own_data_select ON ai_budgets FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_budgets_own_data_insert ON ai_budgets
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_budgets_own_data_update ON ai_budgets FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY ai_budgets_definer_select ON ai_budgets
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY ai_budgets_definer_update ON ai_budgets
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON ai_budgets TO gigvault_app;
  GRANT UPDATE (daily_usd, monthly_usd, reserved_usd, day, day_spent_usd, month, month_spent_usd)
    ON ai_budgets TO gigvault_app;
  GRANT SELECT, UPDATE ON ai_budgets TO gigvault_definer;
`;

/** The table has one row, the sum over all users, and names no user. */
const SPENDING = `
  CREATE TABLE app.ai_spending (
    id boolean NOT NULL DEFAULT true CONSTRAINT ai_spending_pkey PRIMARY KEY CONSTRAINT ai_spending_one_row CHECK (id),
    reserved_usd numeric(24,12) NOT NULL CONSTRAINT ai_spending_reserved_usd_positive CHECK (reserved_usd >= 0),
    day date NOT NULL,
    day_spent_usd numeric(24,12) NOT NULL CONSTRAINT ai_spending_day_spent_usd_positive CHECK (day_spent_usd >= 0),
    month date NOT NULL,
    month_spent_usd numeric(24,12) NOT NULL
      CONSTRAINT ai_spending_month_spent_usd_positive CHECK (month_spent_usd >= 0)
  );
  COMMENT ON TABLE app.ai_spending IS
    'The sum that all users have reserved and spent on AI; names no user.';
  INSERT INTO app.ai_spending (reserved_usd, day, day_spent_usd, month, month_spent_usd)
  VALUES (0, (now() AT TIME ZONE 'UTC')::date, 0, date_trunc('month', now() AT TIME ZONE 'UTC')::date, 0);

  ALTER TABLE app.ai_spending ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.ai_spending FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_spending_admin_select ON app.ai_spending
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY ai_spending_definer_select ON app.ai_spending FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY ai_spending_definer_update ON app.ai_spending FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT ON app.ai_spending TO gigvault_admin;
  GRANT SELECT, UPDATE ON app.ai_spending TO gigvault_definer;
`;
