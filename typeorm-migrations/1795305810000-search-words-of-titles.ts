import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets the search find the words of real titles. PostgreSQL's parser reads `React/Node.js` as a path and `Node.js` as a
 * host, drops the signs of `C++` and `C#`, and takes a sentence without spaces for one word. app.search_words writes a
 * text as plain words before the parser sees it; stored texts and questions go through it alike.
 *
 * The column of stored words is generated, and PostgreSQL computes it again only when it is added. So it is added again,
 * with its index and the view that reads it: one rewrite of the table, under its exclusive lock.
 */
export class SearchWordsOfTitles implements MigrationInterface {
  readonly name = 'SearchWordsOfTitles1795305810000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(DROP_STORED_WORDS);
    await queryRunner.query(SEARCH_WORDS);
    await queryRunner.query(SEARCH_DOCUMENT);
    await queryRunner.query(SEARCH_QUERY);
    await queryRunner.query(ADD_STORED_WORDS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(DROP_STORED_WORDS);
    await queryRunner.query(FORMER_FUNCTIONS);
    await queryRunner.query('DROP FUNCTION app.search_words(text)');
    await queryRunner.query(ADD_STORED_WORDS);
  }
}

const DROP_STORED_WORDS = `
  DROP VIEW own_jobs;
  ALTER TABLE jobs DROP COLUMN search;
`;

const ADD_STORED_WORDS = `
  ALTER TABLE jobs ADD COLUMN search tsvector GENERATED ALWAYS AS (app.search_document(title, skills, description)) STORED;
  CREATE INDEX idx_jobs_search ON jobs USING GIN (user_id, search) WITH (gin_pending_list_limit = 256);
  CREATE VIEW own_jobs AS
    SELECT id, user_id, source_key, upwork_job_id, title, description, budget_min, budget_max, hourly_rate_min,
      hourly_rate_max, currency, skills, category, subcategory, country, client_info, job_type, experience_level, duration,
      workload, status, is_favorite, source_payload, budget_min_hundredths, budget_max_hundredths,
      hourly_rate_min_hundredths, hourly_rate_max_hundredths, search, version, created_at, updated_at
    FROM jobs WHERE user_id = (SELECT auth.uid());
  COMMENT ON VIEW own_jobs IS 'The jobs of the tenant, for lists and search: as safe as row security for built-in operators, and indexed.';
  GRANT SELECT ON own_jobs TO gigvault_app;
  GRANT CREATE ON SCHEMA public TO gigvault_definer;
  ALTER VIEW own_jobs OWNER TO gigvault_definer;
  REVOKE CREATE ON SCHEMA public FROM gigvault_definer;
`;

/**
 * The steps, in order:
 * 0. What has no width inside a word goes (soft hyphens, joiners), and so do the vowel signs of Hebrew and Arabic.
 * 1. A symbol that compatibility forms spell with letters or digits (™, ², №, ①) is parted from its neighbours.
 * 2. Compatibility forms (full width, mathematical letters) and accents are folded.
 * 3. Scripts that write no spaces become one word a character, so that a phrase search finds any part of them.
 * 4. `C#`, `C++` and `A+` become words of their own, as do the signs behind any single letter; further signs part words.
 * 5. `NodeJS` is `node js`, as are `Node.js` and `node js`.
 *
 * lower() and unaccent() are as immutable as the database's locale and dictionary, which never change.
 */
const SEARCH_WORDS = String.raw`
  CREATE FUNCTION app.search_words(given text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    DECLARE
      words text := coalesce(given, '');
    BEGIN
      IF octet_length(words) > char_length(words) THEN
        words := regexp_replace(words, '[\u00ad\u034f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u200d\u2060\ufeff]', '', 'g');
        words := translate(words, '♯', '#');
        words := regexp_replace(words, '([\u00a9\u00aa\u00ae\u00b2\u00b3\u00b9\u00ba\u00bc-\u00be\u2070-\u209f\u20a0-\u20cf\u2100-\u218f\u2460-\u24ff\u3200-\u33ff])', ' \1 ', 'g');
        words := public.unaccent('public.unaccent', normalize(words, NFKC));
        words := regexp_replace(words, '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g');
      END IF;
      words := lower(words);
      IF strpos(words, '#') > 0 OR strpos(words, '+') > 0 THEN
        words := regexp_replace(words, '\m([a-z])#', '\1sharp ', 'g');
        words := regexp_replace(words, '\m([a-z])\+\+', '\1pp ', 'g');
        words := regexp_replace(words, '\m([a-z])\+(?![a-z0-9])', '\1plus ', 'g');
      END IF;
      words := translate(words, './\-_:@&<>+#~', '             ');
      RETURN regexp_replace(words, '\m([a-z0-9]{2,})js\M', '\1 js', 'g');
    END $$;
  COMMENT ON FUNCTION app.search_words(text) IS 'The text as plain words in small letters, without accents, as search stores and seeks them.';
  GRANT EXECUTE ON FUNCTION app.search_words(text) TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_definer;
`;

const SEARCH_DOCUMENT = `
  CREATE OR REPLACE FUNCTION app.search_document(title text, skills text[], description text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN setweight(to_tsvector('simple', app.search_words(title)), 'A')
          || setweight(to_tsvector('simple', app.search_words(array_to_string(coalesce(skills, '{}'), ' '))), 'B')
          || setweight(to_tsvector('simple', app.search_words(description)), 'C');
    END $$;
`;

/**
 * websearch_to_tsquery reads the operators. What it gets as words is plain, and quoted: `node.js` is the phrase "node js",
 * and a word of the question is never an operator by accident.
 */
const SEARCH_QUERY = String.raw`
  CREATE OR REPLACE FUNCTION app.search_query(question text) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN websearch_to_tsquery('simple', (
        SELECT coalesce(string_agg(CASE WHEN part[1] = '' AND lower(part[3]) = 'or' THEN 'or'
            ELSE left(part[1], 1) || '"' || words || '"' END, ' ' ORDER BY place), '')
        FROM regexp_matches(translate(question, '“”„', '"""'), '(-*)(?:"([^"]*)"|([^\s"]+))', 'g')
            WITH ORDINALITY AS found (part, place),
          LATERAL app.search_words(coalesce(part[2], part[3])) AS words
        WHERE words ~ '\w'));
    END $$;
`;

const FORMER_FUNCTIONS = `
  CREATE OR REPLACE FUNCTION app.search_document(title text, skills text[], description text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN setweight(to_tsvector('simple', public.unaccent('public.unaccent', coalesce(title, ''))), 'A')
          || setweight(to_tsvector('simple', public.unaccent('public.unaccent', array_to_string(coalesce(skills, '{}'), ' '))), 'B')
          || setweight(to_tsvector('simple', public.unaccent('public.unaccent', coalesce(description, ''))), 'C');
    END $$;
  CREATE OR REPLACE FUNCTION app.search_query(question text) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$ BEGIN RETURN websearch_to_tsquery('simple', public.unaccent('public.unaccent', question)); END $$;
`;
