import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A default partition that is gone is what an admin must learn of: it is told by a NULL, and fails no figure beside it. */
export class TellOfMissingDefaults implements MigrationInterface {
  readonly name = 'TellOfMissingDefaults1795305681000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(WITH_MISSING);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(BEFORE);
  }
}

const WITH_MISSING = `
  CREATE OR REPLACE FUNCTION app.default_partition_rows(count_at_most integer DEFAULT 100000)
    RETURNS TABLE (table_name text, stray_rows bigint, oldest timestamptz, newest timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      parent record;
    BEGIN
      FOR parent IN SELECT t.table_name AS name, t.key FROM app.partitioned_tables t ORDER BY 1 LOOP
        table_name := parent.name;
        stray_rows := NULL;
        oldest := NULL;
        newest := NULL;
        IF to_regclass(format('public.%I', parent.name || '_default')) IS NULL THEN
          RETURN NEXT;
          CONTINUE;
        END IF;
        EXECUTE format('SELECT count(*), min(k)::timestamptz, max(k)::timestamptz FROM (SELECT %I AS k FROM public.%I LIMIT $1) AS taken',
          parent.key, parent.name || '_default') INTO stray_rows, oldest, newest USING count_at_most;
        RETURN NEXT;
      END LOOP;
    END $$;
`;

/** As TellOfPartitions made it. */
const BEFORE = `
  CREATE OR REPLACE FUNCTION app.default_partition_rows(count_at_most integer DEFAULT 100000)
    RETURNS TABLE (table_name text, stray_rows bigint, oldest timestamptz, newest timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      parent record;
    BEGIN
      FOR parent IN SELECT t.table_name AS name, t.key FROM app.partitioned_tables t ORDER BY 1 LOOP
        table_name := parent.name;
        EXECUTE format('SELECT count(*), min(k)::timestamptz, max(k)::timestamptz FROM (SELECT %I AS k FROM public.%I LIMIT $1) AS taken',
          parent.key, parent.name || '_default') INTO stray_rows, oldest, newest USING count_at_most;
        RETURN NEXT;
      END LOOP;
    END $$;
`;
