import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataSource, type MigrationInterface } from 'typeorm';

/** Where the migrations lie: beside src in the repository, beside src in dist after a build. */
const FOLDER = join(__dirname, '..', '..', '..', '..', 'typeorm-migrations');

/** Where TypeORM notes which migrations have run. */
export const MIGRATIONS_TABLE = 'schema_migrations';

/**
 * A DataSource that only migrates: `initialize()`, `runMigrations()`, `destroy()`. Each migration is one transaction.
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

/** The names of this build's migrations as MIGRATIONS_TABLE notes them, in their order (`Jobs1795305907000`). */
export function migrationNames(): string[] {
  return migrationFiles().map(({ time, words }) => pascal(words) + time);
}

/** Loads the classes file by file: TypeORM would read a path as a pattern, in which `(1)` and `[copy]` mean something else. */
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
