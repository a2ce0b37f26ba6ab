import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes ai_generations. A call that failed or was cut off has cost money too, so response may be NULL and the status says
 * how it ended; a draft need not belong to a job. What a model charges has more than six decimals a token. The seed's
 * tokens_used and success follow from the columns that tell more.
 */
export class CreateAiGenerations implements MigrationInterface {
  readonly name = 'CreateAiGenerations1795305608000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE ai_generations (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ai_generations_pkey PRIMARY KEY,
        user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT ai_generations_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
        job_id bigint,
        generation_type text NOT NULL CONSTRAINT ai_generations_type_known CHECK (generation_type IN ('proposal', 'cover_letter', 'message')),
        status text NOT NULL DEFAULT 'pending'
          CONSTRAINT ai_generations_status_known CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
        prompt text NOT NULL CONSTRAINT ai_generations_prompt_length CHECK (char_length(prompt) BETWEEN 1 AND 200000),
        response text CONSTRAINT ai_generations_response_length CHECK (char_length(response) <= 200000),
        provider text CONSTRAINT ai_generations_provider_length CHECK (char_length(provider) BETWEEN 1 AND 50),
        model_used text CONSTRAINT ai_generations_model_used_length CHECK (char_length(model_used) BETWEEN 1 AND 100),
        input_ai_tokens integer CONSTRAINT ai_generations_input_ai_tokens_positive CHECK (input_ai_tokens >= 0),
        output_ai_tokens integer CONSTRAINT ai_generations_output_ai_tokens_positive CHECK (output_ai_tokens >= 0),
        cached_ai_tokens integer CONSTRAINT ai_generations_cached_ai_tokens_positive CHECK (cached_ai_tokens >= 0),
        tokens_used bigint GENERATED ALWAYS AS (coalesce(input_ai_tokens, 0)::bigint + coalesce(output_ai_tokens, 0)) STORED,
        cost numeric(24,12) CONSTRAINT ai_generations_cost_positive CHECK (cost >= 0 AND cost <> 'NaN'),
        price_list_version text CONSTRAINT ai_generations_price_list_version_length CHECK (char_length(price_list_version) <= 50),
        success boolean GENERATED ALWAYS AS (status = 'succeeded') STORED,
        error text CONSTRAINT ai_generations_error_length CHECK (char_length(error) <= 2000),
        duration_ms integer CONSTRAINT ai_generations_duration_ms_positive CHECK (duration_ms >= 0),
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ai_generations_job_id_fk FOREIGN KEY (user_id, job_id) REFERENCES jobs (user_id, id) ON DELETE SET NULL (job_id),
        CONSTRAINT ai_generations_response_when_succeeded CHECK (status <> 'succeeded' OR response IS NOT NULL)
      );
      COMMENT ON COLUMN ai_generations.cost IS 'USD, 12 decimals, by the price list of price_list_version.';
      CREATE INDEX idx_ai_generations_job_id ON ai_generations (user_id, job_id, created_at DESC, id DESC);
      CREATE INDEX idx_ai_generations_type ON ai_generations (user_id, generation_type, created_at DESC, id DESC);
      CREATE INDEX idx_ai_generations_created_at ON ai_generations (user_id, created_at DESC, id DESC);

      CREATE TRIGGER touch_row BEFORE UPDATE ON ai_generations FOR EACH ROW EXECUTE FUNCTION app.touch_row(tokens_used, success);
      SELECT audit.watch('ai_generations');

      ALTER TABLE ai_generations ENABLE ROW LEVEL SECURITY;
      ALTER TABLE ai_generations FORCE ROW LEVEL SECURITY;
      CREATE POLICY ai_generations_own_data_select ON ai_generations FOR SELECT USING (user_id = (SELECT auth.uid()));
      CREATE POLICY ai_generations_own_data_insert ON ai_generations FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
      CREATE POLICY ai_generations_own_data_update ON ai_generations FOR UPDATE USING (user_id = (SELECT auth.uid()));
      GRANT SELECT, INSERT ON ai_generations TO gigvault_app;
      GRANT UPDATE (status, response, provider, model_used, input_ai_tokens, output_ai_tokens, cached_ai_tokens, cost,
        price_list_version, error, duration_ms) ON ai_generations TO gigvault_app;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE ai_generations;
      DELETE FROM audit.audited_tables WHERE table_name = 'ai_generations';
    `);
  }
}
