import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets partitions be built for the part of a year that none covers, whatever an operator made by hand, and a default
 * partition be drained a part at a time, each in a transaction of its own.
 *
 * A row that waits for the default partition's lock has been routed there already, and fails once that partition no longer
 * takes it. So whoever takes rows from the default partition, or might, stops writers at the parent, where they have not
 * been routed yet. A reader about to write can meet this crosswise: with a lock_timeout below PostgreSQL's deadlock_timeout
 * (1 s) it is the builder that gives way, and tries again.
 */
export class BuildPartitionsByGaps implements MigrationInterface {
  readonly name = 'BuildPartitionsByGaps1795305679000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.convert_default_partition(text, integer);
      DROP FUNCTION app.build_partition(text, integer);
    `);
    await queryRunner.query(GAPS);
    await queryRunner.query(BUILD);
    await queryRunner.query(TOOLS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.convert_default_partition(text, timestamptz);
      DROP FUNCTION app.build_partition(text, timestamptz);
      DROP FUNCTION app.gap_at(text, timestamptz);
    `);
    await queryRunner.query(BEFORE);
  }
}

const GAPS = `
  CREATE FUNCTION app.gap_at(parent text, instant timestamptz, OUT gap_from timestamptz, OUT gap_to timestamptz, OUT gap_name text, OUT gap_check text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      year_from CONSTANT timestamptz := date_trunc('year', instant);
      year_to CONSTANT timestamptz := date_trunc('year', instant) + interval '1 year';
    BEGIN
      SELECT greatest(year_from, max(p.valid_to) FILTER (WHERE p.valid_to <= instant)),
             least(year_to, min(p.valid_from) FILTER (WHERE p.valid_from > instant))
      INTO gap_from, gap_to
      FROM app.partitions() p WHERE p.table_name = parent AND NOT p.is_default;
      gap_name := parent || '_' || to_char(instant, 'YYYY');
      IF to_regclass(format('public.%I', gap_name)) IS NOT NULL THEN
        gap_name := parent || '_' || to_char(gap_from, 'YYYYMMDDHH24MISS');
      END IF;
      SELECT format('%I >= %L AND %1$I < %3$L', t.key, gap_from, gap_to) INTO STRICT gap_check
      FROM app.partitioned_tables t WHERE t.table_name = parent;
    END $$;
  COMMENT ON FUNCTION app.gap_at(text, timestamptz) IS
    'The part of the year (UTC) around an instant that no partition covers, a free name for a partition of it, and its condition. The instant must not be covered.';
`;

const BUILD = `
  CREATE FUNCTION app.build_partition(parent text, instant timestamptz) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      fallback CONSTANT text := parent || '_default';
      gap record;
      stray boolean;
    BEGIN
      SELECT * INTO gap FROM app.gap_at(parent, instant);
      EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)',
        gap.gap_name, parent);
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT only_this_time CHECK (%s)', gap.gap_name, gap.gap_check);
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE %s)', fallback, gap.gap_check) INTO stray;
      IF stray OR now() >= gap.gap_from AND now() < gap.gap_to THEN
        EXECUTE format('LOCK TABLE ONLY public.%I IN SHARE ROW EXCLUSIVE MODE', parent);
      END IF;
      EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', fallback);
      IF stray THEN
        -- Moving a row is no change of it: the audit triggers of the default partition rest in this transaction.
        EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', fallback);
        EXECUTE format('WITH moved AS (DELETE FROM public.%I WHERE %s RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
          fallback, gap.gap_check, gap.gap_name);
        EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', fallback);
      END IF;
      PERFORM app.secure_partition(parent, gap.gap_name);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, gap.gap_name, gap.gap_from, gap.gap_to);
      EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT only_this_time', gap.gap_name);
      RETURN gap.gap_name;
    END $$;
  COMMENT ON FUNCTION app.build_partition(text, timestamptz) IS
    'Makes and attaches a partition for the gap around an instant, with the rows of it that lie in the default partition.';

  CREATE FUNCTION app.convert_default_partition(parent text, instant timestamptz) RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      fallback CONSTANT text := parent || '_default';
      gap record;
    BEGIN
      SELECT * INTO gap FROM app.gap_at(parent, instant);
      EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', parent);
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT only_this_time CHECK (%s)', fallback, gap.gap_check);
      EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', parent, fallback);
      EXECUTE format('DROP POLICY %I ON public.%I', fallback || '_drain_select', fallback);
      EXECUTE format('DROP POLICY %I ON public.%I', fallback || '_drain_delete', fallback);
      EXECUTE format('ALTER TABLE public.%I RENAME TO %I', fallback, gap.gap_name);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, gap.gap_name, gap.gap_from, gap.gap_to);
      EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT only_this_time', gap.gap_name);
      PERFORM app.create_default_partition(parent);
      RETURN gap.gap_name;
    END $$;
  COMMENT ON FUNCTION app.convert_default_partition(text, timestamptz) IS
    'Makes the default partition itself the partition of the one gap all its rows are of, and a new empty default.';
`;

const TOOLS = `
  CREATE OR REPLACE FUNCTION app.create_partitions(years_ahead integer DEFAULT 2) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      parent text;
      instant timestamptz;
      last CONSTANT timestamptz := date_trunc('year', now()) + make_interval(years => years_ahead + 1);
    BEGIN
      IF years_ahead NOT BETWEEN 0 AND 10 THEN
        RAISE EXCEPTION 'years_ahead is % and must be 0 to 10', years_ahead USING ERRCODE = 'invalid_parameter_value';
      END IF;
      FOR parent IN SELECT t.table_name FROM app.partitioned_tables t ORDER BY 1 LOOP
        LOOP
          SELECT c.covered_until INTO STRICT instant FROM app.partition_coverage() c WHERE c.table_name = parent;
          EXIT WHEN instant >= last;
          RETURN NEXT app.build_partition(parent, instant);
        END LOOP;
      END LOOP;
    END $$;
  COMMENT ON FUNCTION app.create_partitions(integer) IS
    'Makes the missing partitions from now to the end of the years ahead; returns their names. Set lock_timeout and try again.';

  CREATE OR REPLACE FUNCTION app.drain_default_partition(parent text, move_limit bigint DEFAULT 50000) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      key_column text;
      gap record;
      part record;
    BEGIN
      SELECT t.key INTO key_column FROM app.partitioned_tables t WHERE t.table_name = parent;
      IF key_column IS NULL THEN
        RAISE EXCEPTION 'no partitioned table is called %', parent USING ERRCODE = 'undefined_table';
      END IF;
      -- The smallest year first: what is left at the end is the one that need not be moved.
      EXECUTE format('SELECT min(%I)::timestamptz AS first, max(%1$I)::timestamptz AS last, count(*) AS stray, sum(count(*)) OVER () AS all_strays '
        'FROM public.%I GROUP BY date_trunc(''year'', %1$I::timestamptz) ORDER BY stray LIMIT 1', key_column, parent || '_default') INTO part;
      IF part.stray IS NULL THEN
        RETURN;
      END IF;
      SELECT * INTO gap FROM app.gap_at(parent, part.first);
      IF part.stray > move_limit AND part.stray = part.all_strays AND part.last < gap.gap_to THEN
        RETURN NEXT app.convert_default_partition(parent, part.first);
      ELSE
        RETURN NEXT app.build_partition(parent, part.first);
      END IF;
    END $$;
  COMMENT ON FUNCTION app.drain_default_partition(text, bigint) IS
    'Gives one part of the rows in the default partition a partition of its own and returns its name; nothing when none are left: call it until then, each time in a transaction. More than move_limit rows of one year alone are not moved: the default partition becomes that year.';
`;

/** As CreatePartitionTools made them. */
const BEFORE = `
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

  CREATE OR REPLACE FUNCTION app.create_partitions(years_ahead integer DEFAULT 2) RETURNS SETOF text
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

  CREATE OR REPLACE FUNCTION app.drain_default_partition(parent text, move_limit bigint DEFAULT 50000) RETURNS SETOF text
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
