import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the functions that build yearly partitions and empty the default ones.
 *
 * A partition is a table made LIKE its parent and then attached: ATTACH takes ShareUpdateExclusive on the parent where
 * CREATE … PARTITION OF takes AccessExclusive and stops every insert. The CHECK lets ATTACH skip reading the new table;
 * the caller sets lock_timeout and tries again. Row security is not inherited, a partition named directly skips its
 * parent's policies: each gets its own, and no grants.
 *
 * They are owned by gigvault_owner, because only the owner of a table attaches to it; FORCE lets it see no rows except
 * by the policies that the default partitions carry for it.
 */
export class CreatePartitionTools implements MigrationInterface {
  readonly name = 'CreatePartitionTools1795305601000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE app.partitioned_tables (
        table_name text PRIMARY KEY,
        key text NOT NULL
      );
      COMMENT ON TABLE app.partitioned_tables IS 'The tables with yearly partitions and the column that tells the year.';
      ALTER TABLE app.partitioned_tables ENABLE ROW LEVEL SECURITY;
      ALTER TABLE app.partitioned_tables FORCE ROW LEVEL SECURITY;
      CREATE POLICY partitioned_tables_select ON app.partitioned_tables FOR SELECT USING (true);
      CREATE POLICY partitioned_tables_insert ON app.partitioned_tables FOR INSERT TO gigvault_owner WITH CHECK (true);
      CREATE POLICY partitioned_tables_delete ON app.partitioned_tables FOR DELETE TO gigvault_owner USING (true);
      GRANT SELECT ON app.partitioned_tables TO gigvault_app, gigvault_worker, gigvault_admin;
    `);
    await queryRunner.query(SECURE);
    await queryRunner.query(BUILD);
    await queryRunner.query(DEFAULTS);
    await queryRunner.query(PUBLIC_TOOLS);
    await queryRunner.query(`
      GRANT EXECUTE ON FUNCTION app.create_partitions(integer), app.drain_default_partition(text, bigint) TO gigvault_worker;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.drain_default_partition(text, bigint);
      DROP FUNCTION app.create_partitions(integer);
      DROP FUNCTION app.convert_default_partition(text, integer);
      DROP FUNCTION app.create_default_partition(text);
      DROP FUNCTION app.build_partition(text, integer);
      DROP FUNCTION app.year_range(text, integer);
      DROP FUNCTION app.secure_partition(text, text);
      DROP TABLE app.partitioned_tables;
    `);
  }
}

/** What makes a partition as safe as its parent: forced RLS with the parent's policy, no grants, its triggers. */
const SECURE = `
  CREATE FUNCTION app.secure_partition(parent text, partition text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition);
      EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition);
      EXECUTE format('CREATE POLICY %I ON public.%I FOR SELECT USING (user_id = (SELECT auth.uid()))',
        parent || '_own_data_select', partition);
      -- Statement triggers are the parent's own: a statement that names the partition fires only these.
      PERFORM audit.watch_partition(parent, partition);
    END $$;
  COMMENT ON FUNCTION app.secure_partition(text, text) IS 'Gives a new partition what it does not inherit.';
`;

const BUILD = `
  CREATE FUNCTION app.year_range(key text, year integer) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog
    AS $$ SELECT format('%I >= %L AND %1$I < %3$L', key, make_date(year, 1, 1), make_date(year + 1, 1, 1)) $$;

  CREATE FUNCTION app.build_partition(parent text, year integer) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      partition CONSTANT text := format('%s_%s', parent, year);
      fallback CONSTANT text := parent || '_default';
      year_only CONSTANT text := app.year_range((SELECT t.key FROM app.partitioned_tables t WHERE t.table_name = parent), year);
      stray boolean;
    BEGIN
      EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)',
        partition, parent);
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT only_this_year CHECK (%s)', partition, year_only);
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE %s)', fallback, year_only) INTO stray;
      IF stray THEN
        -- Moving a row is no change of it: the audit triggers of the default partition rest in this transaction, which
        -- ATTACH would make exclusive anyway.
        EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', fallback);
        EXECUTE format('WITH moved AS (DELETE FROM public.%I WHERE %s RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
          fallback, year_only, partition);
        EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', fallback);
      END IF;
      PERFORM app.secure_partition(parent, partition);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, partition, make_date(year, 1, 1), make_date(year + 1, 1, 1));
      EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT only_this_year', partition);
      RETURN partition;
    END $$;
  COMMENT ON FUNCTION app.build_partition(text, integer) IS
    'Makes and attaches the partition of a year (UTC), with the rows of that year that lie in the default partition.';
`;

const DEFAULTS = `
  CREATE FUNCTION app.create_default_partition(parent text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      fallback CONSTANT text := parent || '_default';
    BEGIN
      EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)',
        fallback, parent);
      PERFORM app.secure_partition(parent, fallback);
      EXECUTE format('CREATE POLICY %I ON public.%I FOR SELECT TO gigvault_owner USING (true)', fallback || '_drain_select', fallback);
      EXECUTE format('CREATE POLICY %I ON public.%I FOR DELETE TO gigvault_owner USING (true)', fallback || '_drain_delete', fallback);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I DEFAULT', parent, fallback);
    END $$;
  COMMENT ON FUNCTION app.create_default_partition(text) IS
    'Makes the partition that catches what no year catches; gigvault_owner may move its rows out.';

  CREATE FUNCTION app.convert_default_partition(parent text, year integer) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      partition CONSTANT text := format('%s_%s', parent, year);
      fallback CONSTANT text := parent || '_default';
      year_only CONSTANT text := app.year_range((SELECT t.key FROM app.partitioned_tables t WHERE t.table_name = parent), year);
    BEGIN
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT only_this_year CHECK (%s)', fallback, year_only);
      EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', parent, fallback);
      EXECUTE format('DROP POLICY %I ON public.%I', fallback || '_drain_select', fallback);
      EXECUTE format('DROP POLICY %I ON public.%I', fallback || '_drain_delete', fallback);
      EXECUTE format('ALTER TABLE public.%I RENAME TO %I', fallback, partition);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, partition, make_date(year, 1, 1), make_date(year + 1, 1, 1));
      EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT only_this_year', partition);
      PERFORM app.create_default_partition(parent);
      RETURN partition;
    END $$;
  COMMENT ON FUNCTION app.convert_default_partition(text, integer) IS
    'Makes the default partition itself the partition of the one year it holds, and a new empty default.';
`;

/** The two functions a task calls; everything above is reached through them only. */
const PUBLIC_TOOLS = `
  CREATE FUNCTION app.create_partitions(years_ahead integer DEFAULT 2) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      missing record;
    BEGIN
      IF years_ahead NOT BETWEEN 0 AND 10 THEN
        RAISE EXCEPTION 'years_ahead is % and must be 0 to 10', years_ahead USING ERRCODE = 'invalid_parameter_value';
      END IF;
      FOR missing IN
        SELECT t.table_name, y.year
        FROM app.partitioned_tables t,
             generate_series(extract(year FROM now())::integer, extract(year FROM now())::integer + years_ahead) AS y (year)
        WHERE to_regclass(format('public.%I', t.table_name || '_' || y.year)) IS NULL
        ORDER BY t.table_name, y.year
      LOOP
        RETURN NEXT app.build_partition(missing.table_name, missing.year);
      END LOOP;
    END $$;
  COMMENT ON FUNCTION app.create_partitions(integer) IS
    'Makes the missing partitions of this year and the years ahead; returns their names. Set lock_timeout and try again.';

  CREATE FUNCTION app.drain_default_partition(parent text, move_limit bigint DEFAULT 50000) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      key_column text;
      years integer[];
      stray bigint;
      year integer;
    BEGIN
      SELECT t.key INTO key_column FROM app.partitioned_tables t WHERE t.table_name = parent;
      IF key_column IS NULL THEN
        RAISE EXCEPTION 'no partitioned table is called %', parent USING ERRCODE = 'undefined_table';
      END IF;
      EXECUTE format('SELECT array_agg(DISTINCT extract(year FROM %I)::integer), count(*) FROM public.%I',
        key_column, parent || '_default') INTO years, stray;
      IF cardinality(years) = 1 AND stray > move_limit THEN
        RETURN NEXT app.convert_default_partition(parent, years[1]);
        RETURN;
      END IF;
      FOREACH year IN ARRAY coalesce(years, '{}') LOOP
        RETURN NEXT app.build_partition(parent, year);
      END LOOP;
    END $$;
  COMMENT ON FUNCTION app.drain_default_partition(text, bigint) IS
    'Gives the rows of the default partition partitions of their years; returns the names. More than move_limit rows of one year are not moved: the default partition becomes that year.';
`;
