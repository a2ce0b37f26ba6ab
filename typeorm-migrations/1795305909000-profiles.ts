import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Creates profiles (what freelancers say about themselves, one row a user) and templates (texts in their own words). AI
 * drafts are based on them, and a draft that claims more than the profile says is reported.
 */
export class Profiles implements MigrationInterface {
  readonly name = 'Profiles1795305909000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(PROFILES);
    await queryRunner.query(TEMPLATES);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE templates, profiles;
      DELETE FROM audit.audited_tables WHERE table_name IN ('templates', 'profiles');
    `);
  }
}

const PROFILES = `
  CREATE TABLE profiles (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT profiles_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT profiles_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    headline text CONSTRAINT profiles_headline_length CHECK (char_length(headline) <= 200),
    overview text CONSTRAINT profiles_overview_length CHECK (char_length(overview) <= 5000),
    skills text[] NOT NULL DEFAULT '{}'
      CONSTRAINT profiles_skills_form CHECK (cardinality(skills) <= 100 AND array_position(skills, NULL) IS NULL),
    hourly_rate numeric(10,2)
      CONSTRAINT profiles_hourly_rate_positive CHECK (hourly_rate >= 0 AND hourly_rate <> 'NaN'),
    currency text NOT NULL DEFAULT 'USD' CONSTRAINT profiles_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    experience_years integer CONSTRAINT profiles_experience_years_range CHECK (experience_years BETWEEN 0 AND 80),
    past_wins text[] NOT NULL DEFAULT '{}'
      CONSTRAINT profiles_past_wins_form
      CHECK (cardinality(past_wins) <= 20 AND array_position(past_wins, NULL) IS NULL),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT profiles_user_id_key UNIQUE (user_id)
  );
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('profiles');

  ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
  ALTER TABLE profiles FORCE ROW LEVEL SECURITY;
  CREATE POLICY profiles_own_data_select ON profiles FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY profiles_own_data_insert ON profiles
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY profiles_own_data_update ON profiles FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  GRANT SELECT, INSERT ON profiles TO gigvault_app;
  GRANT UPDATE (headline, overview, skills, hourly_rate, currency, experience_years, past_wins)
    ON profiles TO gigvault_app;
`;

const TEMPLATES = `
  CREATE TABLE templates (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT templates_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT templates_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT templates_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    generation_type text NOT NULL
      CONSTRAINT templates_generation_type_known CHECK (generation_type IN ('proposal', 'cover_letter', 'message')),
    body text NOT NULL CONSTRAINT templates_body_length CHECK (char_length(body) BETWEEN 1 AND 10000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT templates_name_key UNIQUE (user_id, name)
  );
  CREATE INDEX idx_templates_created_at ON templates (user_id, created_at DESC, id DESC);
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON templates FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('templates');

  ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
  ALTER TABLE templates FORCE ROW LEVEL SECURITY;
  CREATE POLICY templates_own_data_select ON templates FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY templates_own_data_insert ON templates
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY templates_own_data_update ON templates FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY templates_own_data_delete ON templates FOR DELETE USING (user_id = (SELECT tenant FROM auth.context));
  GRANT SELECT, INSERT, DELETE ON templates TO gigvault_app;
  GRANT UPDATE (name, generation_type, body) ON templates TO gigvault_app;
`;
