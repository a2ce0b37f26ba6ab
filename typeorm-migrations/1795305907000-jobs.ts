import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates jobs; user_job_stats, a materialized view with its refresh; and tenant_job_stats, a tenant's row of it.
 *
 * Kinds are domains of text. Comparing an ENUM is not leakproof. So under row security such a condition runs after
 * the policy's, and its index is never used (10 to 150 times slower at 200,000 rows of one tenant). Budgets are
 * numeric, with bigint hundredths in generated columns for the filters. The filters of skills and words use operators
 * that bootstrap.sql marks as leakproof.
 *
 * source_key identifies the job, independent of the import: 'upwork:<id>', or 'content:<sha-256>' without an id.
 */
export class Jobs implements MigrationInterface {
  readonly name = 'Jobs1795305907000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await createFunctions(queryRunner, 'jobs', ['search_words', 'search_document', 'search_query']);
    await queryRunner.query(DOMAINS);
    await queryRunner.query(TABLE);
    await queryRunner.query(INDEXES);
    await queryRunner.query(ACCESS);
    await queryRunner.query(STATISTICS);
    // ALTER … OWNER TO requires that the new owner has this right.
    await queryRunner.query('GRANT CREATE ON SCHEMA public TO gigvault_definer');
    await queryRunner.query(TENANT_STATISTICS);
    await createFunctions(queryRunner, 'jobs', ['refresh_user_job_stats']);
    await queryRunner.query('REVOKE CREATE ON SCHEMA public FROM gigvault_definer');
    await queryRunner.query(FIRST_REFRESH);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION refresh_user_job_stats();
      DROP VIEW tenant_job_stats;
      DROP MATERIALIZED VIEW user_job_stats;
      DROP TABLE app.view_refreshes, jobs;
      DROP DOMAIN app.source_key, app.upwork_id, app.job_title, app.job_description, app.short_text, app.amount,
        app.currency, app.name_list, app.job_type, app.experience_level, app.job_status;
      DROP FUNCTION app.search_query(text), app.search_document(text, text[], text), app.search_words(text);
      DELETE FROM audit.audited_tables WHERE table_name = 'jobs';
    `);
  }
}

/**
 * The rules of single columns. Every statement that writes a row reads the CHECKs of its table again, each for 12 us:
 * those of jobs took a third of an INSERT. A connection keeps the rule of a domain, and checks the given values only.
 * So jobs, which have the most columns, use domains; a CHECK is a rule of several columns, or of one jsonb.
 *
 * numeric(10,2) ends at 99,999,999.99. NaN is a legal numeric, larger than all others.
 */
const DOMAINS = `
  CREATE DOMAIN app.source_key AS text
    CONSTRAINT source_key_form CHECK (VALUE ~ '^(upwork:.{1,100}|content:[0-9a-f]{64})$');
  CREATE DOMAIN app.upwork_id AS text CONSTRAINT upwork_id_length CHECK (char_length(VALUE) BETWEEN 1 AND 100);
  CREATE DOMAIN app.job_title AS text CONSTRAINT job_title_length CHECK (char_length(VALUE) BETWEEN 1 AND 500);
  CREATE DOMAIN app.job_description AS text CONSTRAINT job_description_length CHECK (char_length(VALUE) <= 50000);
  CREATE DOMAIN app.short_text AS text CONSTRAINT short_text_length CHECK (char_length(VALUE) <= 100);
  CREATE DOMAIN app.amount AS numeric(10,2) CONSTRAINT amount_positive CHECK (VALUE >= 0 AND VALUE <> 'NaN');
  CREATE DOMAIN app.currency AS text CONSTRAINT currency_form CHECK (VALUE ~ '^[A-Z]{3}$');
  CREATE DOMAIN app.name_list AS text[]
    CONSTRAINT name_list_count CHECK (cardinality(VALUE) <= 100 AND array_position(VALUE, NULL) IS NULL);
  CREATE DOMAIN app.job_type AS text CONSTRAINT job_type_known CHECK (VALUE IN ('fixed', 'hourly'));
  CREATE DOMAIN app.experience_level AS text
    CONSTRAINT experience_level_known CHECK (VALUE IN ('entry', 'intermediate', 'expert'));
  CREATE DOMAIN app.job_status AS text CONSTRAINT job_status_known CHECK (VALUE IN ('active', 'archived', 'deleted'));
`;

/**
 * PostgreSQL computes a generated column when a row is written. A change of app.search_document() must drop and add the
 * column search, with its index: one rewrite of the table under its exclusive lock.
 */
const TABLE = `
  CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT jobs_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT jobs_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    source_key app.source_key NOT NULL,
    upwork_job_id app.upwork_id,
    title app.job_title NOT NULL,
    description app.job_description,
    budget_min app.amount,
    budget_max app.amount,
    hourly_rate_min app.amount,
    hourly_rate_max app.amount,
    currency app.currency NOT NULL DEFAULT 'USD',
    skills app.name_list NOT NULL DEFAULT '{}',
    category app.short_text,
    subcategory app.short_text,
    country app.short_text,
    client_info jsonb CONSTRAINT jobs_client_info_size
      CHECK (jsonb_typeof(client_info) = 'object' AND octet_length(client_info::text) <= 65536),
    job_type app.job_type,
    experience_level app.experience_level,
    duration app.short_text,
    workload app.short_text,
    status app.job_status NOT NULL DEFAULT 'active',
    is_favorite boolean NOT NULL DEFAULT false,
    source_payload jsonb CONSTRAINT jobs_source_payload_size CHECK (octet_length(source_payload::text) <= 262144),
    budget_min_hundredths bigint GENERATED ALWAYS AS ((budget_min * 100)::bigint) STORED,
    budget_max_hundredths bigint GENERATED ALWAYS AS ((budget_max * 100)::bigint) STORED,
    hourly_rate_min_hundredths bigint GENERATED ALWAYS AS ((hourly_rate_min * 100)::bigint) STORED,
    hourly_rate_max_hundredths bigint GENERATED ALWAYS AS ((hourly_rate_max * 100)::bigint) STORED,
    search tsvector GENERATED ALWAYS AS (app.search_document(title, skills, description)) STORED,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    fetched_at timestamptz,
    expired_at timestamptz,
    CONSTRAINT jobs_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT jobs_source_key_key UNIQUE (user_id, source_key),
    CONSTRAINT jobs_budget_range CHECK (budget_min <= budget_max),
    CONSTRAINT jobs_hourly_rate_range CHECK (hourly_rate_min <= hourly_rate_max)
  );
  COMMENT ON COLUMN jobs.source_payload IS 'The vacancy in the form of its source.';
  COMMENT ON COLUMN jobs.fetched_at IS
    'When a synchronisation last found it, to the hour; NULL for a job that the user imported.';
  COMMENT ON COLUMN jobs.expired_at IS
    'When its content was deleted; it was active, and becomes active again when a search finds it.';
`;

/**
 * A GIN index adds new entries to a pending list, which every search scans completely. At the default limit of 4 MB a
 * page of jobs took six to nine times as long, for all tenants. A row has few skills: they go into the index at once,
 * without a measurable cost for an insert. Its text has many words: their list is limited to a sixteenth.
 *
 * The partial index finds favourites without reading all jobs of a tenant. Writes of other jobs do not touch it.
 * @see https://www.postgresql.org/docs/15/gin-implementation.html#GIN-FAST-UPDATE
 */
const INDEXES = `
  CREATE INDEX idx_jobs_status ON jobs (user_id, status, created_at DESC, id DESC);
  CREATE INDEX idx_jobs_category ON jobs (user_id, category, created_at DESC, id DESC);
  CREATE INDEX idx_jobs_created_at ON jobs (user_id, created_at DESC, id DESC);
  CREATE INDEX idx_jobs_budget_range ON jobs (user_id, budget_max_hundredths, budget_min_hundredths);
  CREATE INDEX idx_jobs_skills ON jobs USING GIN (user_id, skills) WITH (fastupdate = off);
  CREATE INDEX idx_jobs_search ON jobs USING GIN (user_id, search) WITH (gin_pending_list_limit = 256);
  CREATE INDEX idx_jobs_favorites ON jobs (user_id, created_at DESC, id DESC) WHERE is_favorite;
  CREATE INDEX idx_jobs_fetched_at ON jobs (fetched_at) WHERE fetched_at IS NOT NULL;
`;

/**
 * There is no DELETE: a deleted job has the status 'deleted', and a row is deleted only with its user. A job that is
 * found again has not changed, so fetched_at leaves no audit row and no new version.
 */
const ACCESS = `
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION app.set_updated_at(
    budget_min_hundredths, budget_max_hundredths, hourly_rate_min_hundredths, hourly_rate_max_hundredths, search,
    fetched_at);
  SELECT audit.enable('jobs', ignored => '{fetched_at}');

  ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
  CREATE POLICY jobs_own_data_select ON jobs FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY jobs_own_data_insert ON jobs FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY jobs_own_data_update ON jobs FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY jobs_definer_select ON jobs
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY jobs_definer_update ON jobs
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON jobs TO gigvault_app;
  GRANT UPDATE (source_key, upwork_job_id, title, description, budget_min, budget_max, hourly_rate_min, hourly_rate_max,
    currency, skills, category, subcategory, country, client_info, job_type, experience_level, duration, workload,
    status, is_favorite, source_payload, fetched_at, expired_at) ON jobs TO gigvault_app;
  GRANT SELECT, UPDATE ON jobs TO gigvault_definer;
`;

/**
 * gigvault_definer owns the materialized view, because its policy sees all jobs. A refresh runs as the view's owner;
 * gigvault_owner under FORCE ROW LEVEL SECURITY would silently empty it. REFRESH … CONCURRENTLY needs the unique
 * index; without CONCURRENTLY readers would wait for the refresh.
 */
const STATISTICS = `
  CREATE MATERIALIZED VIEW user_job_stats AS
  SELECT
    user_id,
    COUNT(*) as total_jobs,
    COUNT(*) FILTER (WHERE status = 'active') as active_jobs,
    COUNT(*) FILTER (WHERE is_favorite = true) as favorite_jobs,
    AVG(budget_max - budget_min) as avg_budget_range,
    MAX(created_at) as last_job_date
  FROM jobs
  GROUP BY user_id;
  CREATE UNIQUE INDEX idx_user_job_stats_user_id ON user_job_stats (user_id);

  CREATE TABLE app.view_refreshes (
    view_name text CONSTRAINT view_refreshes_pkey PRIMARY KEY,
    refreshed_at timestamptz NOT NULL,
    duration_ms integer NOT NULL
  );
  COMMENT ON TABLE app.view_refreshes IS 'When each materialized view was last refreshed, and how long it took.';
  ALTER TABLE app.view_refreshes ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.view_refreshes FORCE ROW LEVEL SECURITY;
  CREATE POLICY view_refreshes_select ON app.view_refreshes FOR SELECT USING (true);
  CREATE POLICY view_refreshes_insert ON app.view_refreshes FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY view_refreshes_update ON app.view_refreshes FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT ON app.view_refreshes TO gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_definer;
  GRANT INSERT, UPDATE ON app.view_refreshes TO gigvault_definer;
`;

/**
 * A materialized view has no row security, so no login may read it. tenant_job_stats returns the tenant's row. It is a
 * security barrier, because no condition on it needs an index.
 */
const TENANT_STATISTICS = `
  CREATE VIEW tenant_job_stats WITH (security_barrier) AS
  SELECT
    me.user_id,
    coalesce(s.total_jobs, 0) AS total_jobs,
    coalesce(s.active_jobs, 0) AS active_jobs,
    coalesce(s.favorite_jobs, 0) AS favorite_jobs,
    round(coalesce(s.avg_budget_range, 0), 2) AS avg_budget_range,
    s.last_job_date,
    r.refreshed_at
  FROM (SELECT tenant AS user_id FROM auth.context) me
  -- OFFSET 0: the planner expects more than one row of auth.context and would read the statistics of everybody.
  LEFT JOIN LATERAL (SELECT * FROM user_job_stats s WHERE s.user_id = me.user_id OFFSET 0) s ON true
  LEFT JOIN app.view_refreshes r ON r.view_name = 'user_job_stats'
  WHERE me.user_id IS NOT NULL;
  COMMENT ON VIEW tenant_job_stats IS
    'The tenant''s row of user_job_stats, zeros without a row, and the time of the last refresh.';
  GRANT SELECT ON tenant_job_stats TO gigvault_app;
  ALTER VIEW tenant_job_stats OWNER TO gigvault_definer;
  ALTER MATERIALIZED VIEW user_job_stats OWNER TO gigvault_definer;
`;

/** The view is created without jobs, so its content is the result of a refresh. */
const FIRST_REFRESH = `
  SET LOCAL ROLE gigvault_definer;
  INSERT INTO app.view_refreshes (view_name, refreshed_at, duration_ms) VALUES ('user_job_stats', now(), 0);
  SET LOCAL ROLE gigvault_owner;
`;
