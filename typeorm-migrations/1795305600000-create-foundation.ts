import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the schemas and the small functions every table stands on. Functions are closed to PUBLIC from here on (by
 * default PostgreSQL opens each new one), so every later migration grants what it means to grant.
 *
 * gigvault_definer and gigvault_auditor own the SECURITY DEFINER functions: FORCE ROW LEVEL SECURITY binds the owner of
 * the tables too, so a function owned by gigvault_owner would see no rows. The policies written TO these two say, table by
 * table and command by command, what such functions may do.
 */
export class CreateFoundation implements MigrationInterface {
  readonly name = 'CreateFoundation1795305600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
      REVOKE ALL ON SCHEMA public FROM PUBLIC;
      GRANT USAGE ON SCHEMA public TO
        gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_definer, gigvault_auditor;

      CREATE SCHEMA auth;
      CREATE SCHEMA app;
      CREATE SCHEMA audit;
      GRANT USAGE ON SCHEMA auth, app TO
        gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
      GRANT USAGE ON SCHEMA audit TO gigvault_app, gigvault_definer, gigvault_auditor;
      -- Only so that the functions of these schemas can be handed over to their owners (ALTER … OWNER TO asks for it).
      GRANT CREATE ON SCHEMA auth, app TO gigvault_definer;
      GRANT CREATE ON SCHEMA audit TO gigvault_auditor;

      -- The server compares this with the migrations it was built with.
      GRANT SELECT ON schema_migrations TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;
    `);
    await queryRunner.query(CONTEXT);
    await queryRunner.query(ROWS);
    await queryRunner.query(SEARCH);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE SELECT ON schema_migrations FROM gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;
      DROP SCHEMA audit CASCADE;
      DROP SCHEMA app CASCADE;
      DROP SCHEMA auth CASCADE;
      REVOKE ALL ON SCHEMA public FROM
        gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_definer, gigvault_auditor;
      GRANT USAGE ON SCHEMA public TO PUBLIC;
      ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
    `);
  }
}

/**
 * auth.uid(): the tenant of the transaction. After one SET LOCAL the setting is '' on that connection, not NULL, hence
 * NULLIF. Policies call it as (SELECT auth.uid()), once a statement and not once a row.
 * app.to_inet(): what a client calls its address must never fail the request that is being logged.
 */
const CONTEXT = `
  CREATE FUNCTION auth.uid() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.user_id', true), '')::bigint $$;
  COMMENT ON FUNCTION auth.uid() IS 'The tenant of this transaction (app.user_id), or NULL.';

  CREATE FUNCTION app.to_inet(address text) RETURNS inet
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      IF address IS NULL OR address = '' THEN
        RETURN NULL;
      END IF;
      -- ::ffff:1.2.3.4 is 1.2.3.4 on a socket that speaks both; host() drops a netmask.
      RETURN host(regexp_replace(address, '^::ffff:(?=\\d+\\.\\d+\\.\\d+\\.\\d+$)', '', 'i')::inet)::inet;
    EXCEPTION WHEN data_exception THEN
      RETURN NULL;
    END $$;
  COMMENT ON FUNCTION app.to_inet(text) IS 'The address, an IPv4 one written plainly; NULL when it is none.';

  GRANT EXECUTE ON FUNCTION auth.uid(), app.to_inet(text) TO
    gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
`;

/**
 * app.touch_row(): bookkeeping of rows that change. Its arguments are the generated columns of the table: PostgreSQL has
 * not computed them yet in a BEFORE trigger (they read as NULL in NEW), so a plain comparison would see a change always.
 */
const ROWS = `
  CREATE FUNCTION app.touch_row() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
      IF NEW.id IS DISTINCT FROM OLD.id THEN
        RAISE EXCEPTION 'the id of a row of % never changes', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      NEW.version := OLD.version;
      NEW.updated_at := OLD.updated_at;
      IF (CASE WHEN TG_NARGS = 0 THEN NEW IS DISTINCT FROM OLD
               ELSE to_jsonb(NEW) - TG_ARGV IS DISTINCT FROM to_jsonb(OLD) - TG_ARGV END)
      THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := now();
      END IF;
      RETURN NEW;
    END $$;
  COMMENT ON FUNCTION app.touch_row() IS
    'BEFORE UPDATE: version + 1 and updated_at = now() when the row really changes. Arguments: its generated columns.';
`;

/**
 * One way to read text and one to read a question, so that both fold alike. unaccent() is only STABLE because its
 * dictionary could be swapped; named by its schema and never changed, it is as good as IMMUTABLE, which a generated column
 * asks for. 'simple' does not stem: vacancies mix languages and product names.
 */
const SEARCH = `
  CREATE FUNCTION app.search_document(title text, skills text[], description text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN setweight(to_tsvector('simple', public.unaccent('public.unaccent', coalesce(title, ''))), 'A')
          || setweight(to_tsvector('simple', public.unaccent('public.unaccent', array_to_string(coalesce(skills, '{}'), ' '))), 'B')
          || setweight(to_tsvector('simple', public.unaccent('public.unaccent', coalesce(description, ''))), 'C');
    END $$;
  CREATE FUNCTION app.search_query(question text) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$ BEGIN RETURN websearch_to_tsquery('simple', public.unaccent('public.unaccent', question)); END $$;
  COMMENT ON FUNCTION app.search_query(text) IS 'A question in web syntax (words, "phrases", or, -not) for jobs.search.';

  GRANT EXECUTE ON FUNCTION app.search_document(text, text[], text), app.search_query(text) TO
    gigvault_app, gigvault_worker, gigvault_admin, gigvault_definer;
`;
