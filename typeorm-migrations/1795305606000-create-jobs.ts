import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes jobs (vacancies) and own_jobs, the view that lists and search read.
 *
 * Kinds are text with a CHECK: comparing an ENUM, a numeric, arrays or a tsquery is not leakproof, so under row security
 * such a condition is tried after the policy's and its index is never used (10 to 150 times slower at 200,000 rows of one
 * tenant). Money stays numeric as in the seed, with bigint hundredths beside it for the filters.
 *
 * source_key says which vacancy a row is, whatever it was imported from: 'upwork:<id>', or 'content:<sha-256>' for one
 * without an id.
 */
export class CreateJobs implements MigrationInterface {
  readonly name = 'CreateJobs1795305606000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await queryRunner.query(INDEXES);
    await queryRunner.query(ACCESS);
    await queryRunner.query(OWN_JOBS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP VIEW own_jobs;
      DROP TABLE jobs;
      DELETE FROM audit.audited_tables WHERE table_name = 'jobs';
    `);
  }
}

/**
 * numeric(10,2) ends at 99,999,999.99. NaN is a legal numeric, larger than all of them, so each CHECK names it; the
 * generated columns pass over it, because they are computed before the CHECK speaks.
 */
const TABLE = `
  CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT jobs_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT jobs_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    source_key text NOT NULL CONSTRAINT jobs_source_key_form CHECK (source_key ~ '^(upwork:.{1,100}|content:[0-9a-f]{64})$'),
    upwork_job_id text CONSTRAINT jobs_upwork_job_id_length CHECK (char_length(upwork_job_id) BETWEEN 1 AND 100),
    title text NOT NULL CONSTRAINT jobs_title_length CHECK (char_length(title) BETWEEN 1 AND 500),
    description text CONSTRAINT jobs_description_length CHECK (char_length(description) <= 50000),
    budget_min numeric(10,2) CONSTRAINT jobs_budget_min_positive CHECK (budget_min >= 0 AND budget_min <> 'NaN'),
    budget_max numeric(10,2) CONSTRAINT jobs_budget_max_positive CHECK (budget_max >= 0 AND budget_max <> 'NaN'),
    hourly_rate_min numeric(10,2) CONSTRAINT jobs_hourly_rate_min_positive CHECK (hourly_rate_min >= 0 AND hourly_rate_min <> 'NaN'),
    hourly_rate_max numeric(10,2) CONSTRAINT jobs_hourly_rate_max_positive CHECK (hourly_rate_max >= 0 AND hourly_rate_max <> 'NaN'),
    currency text NOT NULL DEFAULT 'USD' CONSTRAINT jobs_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    skills text[] NOT NULL DEFAULT '{}' CONSTRAINT jobs_skills_count CHECK (cardinality(skills) <= 100 AND array_position(skills, NULL) IS NULL),
    category text CONSTRAINT jobs_category_length CHECK (char_length(category) <= 100),
    subcategory text CONSTRAINT jobs_subcategory_length CHECK (char_length(subcategory) <= 100),
    country text CONSTRAINT jobs_country_length CHECK (char_length(country) <= 100),
    client_info jsonb CONSTRAINT jobs_client_info_size CHECK (jsonb_typeof(client_info) = 'object' AND octet_length(client_info::text) <= 65536),
    job_type text CONSTRAINT jobs_job_type_known CHECK (job_type IN ('fixed', 'hourly')),
    experience_level text CONSTRAINT jobs_experience_level_known CHECK (experience_level IN ('entry', 'intermediate', 'expert')),
    duration text CONSTRAINT jobs_duration_length CHECK (char_length(duration) <= 100),
    workload text CONSTRAINT jobs_workload_length CHECK (char_length(workload) <= 100),
    status text NOT NULL DEFAULT 'active' CONSTRAINT jobs_status_known CHECK (status IN ('active', 'archived', 'deleted')),
    is_favorite boolean NOT NULL DEFAULT false,
    source_payload jsonb CONSTRAINT jobs_source_payload_size CHECK (octet_length(source_payload::text) <= 262144),
    budget_min_hundredths bigint GENERATED ALWAYS AS ((nullif(budget_min, 'NaN') * 100)::bigint) STORED,
    budget_max_hundredths bigint GENERATED ALWAYS AS ((nullif(budget_max, 'NaN') * 100)::bigint) STORED,
    hourly_rate_min_hundredths bigint GENERATED ALWAYS AS ((nullif(hourly_rate_min, 'NaN') * 100)::bigint) STORED,
    hourly_rate_max_hundredths bigint GENERATED ALWAYS AS ((nullif(hourly_rate_max, 'NaN') * 100)::bigint) STORED,
    search tsvector GENERATED ALWAYS AS (app.search_document(title, skills, description)) STORED,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT jobs_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT jobs_source_key_key UNIQUE (user_id, source_key),
    CONSTRAINT jobs_budget_range CHECK (budget_min <= budget_max),
    CONSTRAINT jobs_hourly_rate_range CHECK (hourly_rate_min <= hourly_rate_max)
  );
  COMMENT ON COLUMN jobs.source_payload IS 'The vacancy as its source gave it.';
`;

const INDEXES = `
  CREATE INDEX idx_jobs_status ON jobs (user_id, status, created_at DESC, id DESC);
  CREATE INDEX idx_jobs_category ON jobs (user_id, category, created_at DESC, id DESC);
  CREATE INDEX idx_jobs_created_at ON jobs (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_jobs_budget_range ON jobs (user_id, budget_max_hundredths, budget_min_hundredths);
  CREATE INDEX idx_jobs_skills ON jobs USING GIN (user_id, skills);
  CREATE INDEX idx_jobs_search ON jobs USING GIN (user_id, search);
`;

/** No DELETE: a deleted job is one with status 'deleted'. Rows go only with their user. */
const ACCESS = `
  CREATE TRIGGER touch_row BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION app.touch_row(
    budget_min_hundredths, budget_max_hundredths, hourly_rate_min_hundredths, hourly_rate_max_hundredths, search);
  SELECT audit.watch('jobs');

  ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
  CREATE POLICY jobs_own_data_select ON jobs FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY jobs_own_data_insert ON jobs FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY jobs_own_data_update ON jobs FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY jobs_definer_select ON jobs FOR SELECT TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON jobs TO gigvault_app;
  GRANT UPDATE (source_key, upwork_job_id, title, description, budget_min, budget_max, hourly_rate_min, hourly_rate_max,
    currency, skills, category, subcategory, country, client_info, job_type, experience_level, duration, workload, status,
    is_favorite, source_payload) ON jobs TO gigvault_app;
  GRANT SELECT ON jobs TO gigvault_definer;
`;

/**
 * own_jobs is what row security would show, without its price. A policy's condition must be tried before any condition
 * of the query that is not leakproof (@>, @@), so GIN indexes are never used under it. Here the tenant's condition is a
 * plain one: the view reads as gigvault_definer, whose policy is USING (true), and the planner may use (user_id, skills)
 * and (user_id, search).
 *
 * The risk taken: the view is no security barrier, so a function in the query that tells what it is given could see rows
 * of others before they are filtered. gigvault_app can make no function (no CREATE anywhere, no temporary schema), and
 * only the server's own list queries read the view, with conditions of built-in operators and parameters only.
 */
const OWN_JOBS = `
  CREATE VIEW own_jobs AS SELECT * FROM jobs WHERE user_id = (SELECT auth.uid());
  COMMENT ON VIEW own_jobs IS 'The jobs of the tenant, for lists and search: as safe as row security for built-in operators, and indexed.';
  GRANT SELECT ON own_jobs TO gigvault_app;
  GRANT CREATE ON SCHEMA public TO gigvault_definer;
  ALTER VIEW own_jobs OWNER TO gigvault_definer;
  REVOKE CREATE ON SCHEMA public FROM gigvault_definer;
`;
