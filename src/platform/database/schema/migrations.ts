import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataSource, type MigrationInterface } from 'typeorm';

/** Folder of the migrations, beside src in the repository and in dist. */
const FOLDER = join(__dirname, '..', '..', '..', '..', 'typeorm-migrations');

/** TypeORM's table of the migrations that have run. */
export const MIGRATIONS_TABLE = 'schema_migrations';

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

/** Returns the names of this build's migrations as in MIGRATIONS_TABLE, in order (`Jobs1795305907000`). */
export function migrationNames(): string[] {
  return migrationFiles().map(({ time, words }) => pascal(words) + time);
}

/** Loads the classes file by file: TypeORM reads a path as a glob pattern, where `(1)` and `[copy]` are special. */
function migrationClasses(): (new () => MigrationInterface)[] {
  const load = createRequire(__filename);
  return migrationFiles().flatMap(({ file }) =>
    Object.values(load(join(FOLDER, file)) as Record<string, new () => MigrationInterface>),
  );
}

function migrationFiles(): { file: string; time: string; words: string }[] {
  const files = readdirSync(FOLDER).sort();
  return files.flatMap((file) => {
    const [, time, words] = /^(\d{13})-([a-z0-9-]+)\.[jt]s$/.exec(file) ?? [];
    return time && words ? [{ file, time, words }] : [];
  });
}

function pascal(kebab: string): string {
  return kebab.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
