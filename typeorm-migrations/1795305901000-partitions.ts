import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates the functions that build yearly partitions, drain the default ones, archive old ones and report on them. A
 * partition is built for the part of a year that no other covers, even next to partitions that an operator created by
 * hand. A default partition is drained in parts, each in its own transaction.
 *
 * Row security is not inherited: a statement that names a partition skips the parent's policies. So each partition gets
 * its own policies, and no grants.
 *
 * gigvault_owner owns the functions, because only the owner of a table can attach to it. Under FORCE ROW LEVEL SECURITY
 * that role sees rows only by the policies that the default partitions have for it.
 */
export class Partitions implements MigrationInterface {
  readonly name = 'Partitions1795305901000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await createFunctions(queryRunner, 'partitions', [
      ...['partitions', 'partition_coverage', 'default_partition_rows', 'secure_partition', 'find_partition_gap'],
      ...['create_default_partition', 'build_partition', 'convert_default_partition', 'create_partitions'],
      ...['drain_default_partition', 'archive_partitions'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        app.archive_partitions(integer),
        app.drain_default_partition(text, bigint),
        app.create_partitions(integer),
        app.convert_default_partition(text, timestamptz),
        app.build_partition(text, timestamptz),
        app.create_default_partition(text),
        app.find_partition_gap(text, timestamptz),
        app.secure_partition(text, text),
        app.default_partition_rows(integer),
        app.partition_coverage(),
        app.partitions();
      DROP TABLE app.partitioned_tables;
      DROP SCHEMA archive;
    `);
  }
}

const TABLES = `
  CREATE TABLE app.partitioned_tables (
    table_name text PRIMARY KEY,
    key text NOT NULL
  );
  COMMENT ON TABLE app.partitioned_tables IS
    'Tables with yearly partitions, and the column that they are partitioned by.';
  ALTER TABLE app.partitioned_tables ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.partitioned_tables FORCE ROW LEVEL SECURITY;
  CREATE POLICY partitioned_tables_select ON app.partitioned_tables FOR SELECT USING (true);
  CREATE POLICY partitioned_tables_insert ON app.partitioned_tables FOR INSERT TO gigvault_owner WITH CHECK (true);
  CREATE POLICY partitioned_tables_delete ON app.partitioned_tables FOR DELETE TO gigvault_owner USING (true);
  GRANT SELECT ON app.partitioned_tables TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;

  CREATE SCHEMA archive;
  COMMENT ON SCHEMA archive IS
    'Partitions that were detached because of their age. Only the owner may read, dump and drop them.';
`;
