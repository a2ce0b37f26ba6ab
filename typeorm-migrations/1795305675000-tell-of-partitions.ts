import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the three functions that tell how the partitions stand, by their real bounds and not by their names: an operator
 * may have made one by hand, and a name proves nothing.
 */
export class TellOfPartitions implements MigrationInterface {
  readonly name = 'TellOfPartitions1795305675000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(PARTITIONS);
    await queryRunner.query(DEFAULT_ROWS);
    await queryRunner.query(`
      GRANT SELECT ON app.partitioned_tables TO gigvault_monitor;
      GRANT EXECUTE ON FUNCTION app.partitions(), app.partition_coverage() TO
        gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;
      GRANT EXECUTE ON FUNCTION app.default_partition_rows(integer) TO gigvault_worker, gigvault_admin, gigvault_monitor;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE SELECT ON app.partitioned_tables FROM gigvault_monitor;
      DROP FUNCTION app.default_partition_rows(integer);
      DROP FUNCTION app.partition_coverage();
      DROP FUNCTION app.partitions();
    `);
  }
}

/** A bound reads as in FOR VALUES FROM ('2026-01-01 00:00:00+00') TO (MAXVALUE). */
const PARTITIONS = `
  CREATE FUNCTION app.partitions()
    RETURNS TABLE (table_name text, partition regclass, is_default boolean, valid_from timestamptz, valid_to timestamptz)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
      SELECT t.table_name, i.inhrelid::regclass, b.bound = 'DEFAULT',
        coalesce(substring(b.bound FROM 'FROM \\(''([^'']+)''\\)')::timestamptz, '-infinity'),
        coalesce(substring(b.bound FROM 'TO \\(''([^'']+)''\\)')::timestamptz, 'infinity')
      FROM app.partitioned_tables t
      JOIN pg_inherits i ON i.inhparent = to_regclass(format('public.%I', t.table_name))
      JOIN pg_class c ON c.oid = i.inhrelid,
      LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bound)
      ORDER BY 1, 4
    $$;
  COMMENT ON FUNCTION app.partitions() IS 'The attached partitions with their bounds (valid_to is the first instant of the next).';

  CREATE FUNCTION app.partition_coverage() RETURNS TABLE (table_name text, covered_until timestamptz)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
      WITH RECURSIVE ranges AS MATERIALIZED (
        SELECT * FROM app.partitions() p WHERE NOT p.is_default
      ), reach AS (
        SELECT t.table_name, now() AS until FROM app.partitioned_tables t
        UNION ALL
        SELECT r.table_name, p.valid_to FROM reach r
        JOIN ranges p ON p.table_name = r.table_name AND p.valid_from <= r.until AND p.valid_to > r.until
      )
      SELECT r.table_name, max(r.until) FROM reach r GROUP BY r.table_name ORDER BY 1
    $$;
  COMMENT ON FUNCTION app.partition_coverage() IS
    'Until when each table has partitions without a gap; now() itself where there is none for this moment.';
`;

/** gigvault_owner sees the default partitions by the policies with which it drains them. */
const DEFAULT_ROWS = `
  CREATE FUNCTION app.default_partition_rows(count_at_most integer DEFAULT 100000)
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
  COMMENT ON FUNCTION app.default_partition_rows(integer) IS
    'How many rows lie in each default partition (no more than count_at_most are counted) and of when those are; never the rows.';
`;
