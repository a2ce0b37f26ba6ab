import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataSource, type MigrationInterface } from 'typeorm';
import { migrationFiles, MIGRATIONS_FOLDER, MIGRATIONS_TABLE } from './migrations';

/**
 * Creates a DataSource for migrations only: `initialize()`, `runMigrations()`, `destroy()`. Each migration is one
 * transaction.
 * @param url the login gigvault_migrator, whose sessions act as gigvault_owner
 */
export function migrationSource(url: string): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    migrations: migrationClasses(),
    migrationsTableName: MIGRATIONS_TABLE,
    migrationsTransactionMode: 'each',
    applicationName: 'gigvault migrations',
  });
}

/** Loads the classes file by file: TypeORM reads a path as a glob pattern, where `(1)` and `[copy]` are special. */
function migrationClasses(): (new () => MigrationInterface)[] {
  const load = createRequire(__filename);
  return migrationFiles().flatMap(({ file }) =>
    Object.values(load(join(MIGRATIONS_FOLDER, file)) as Record<string, new () => MigrationInterface>),
  );
}
