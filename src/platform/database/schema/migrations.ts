import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of the migrations, beside src in the repository and in dist. */
export const MIGRATIONS_FOLDER = join(__dirname, '..', '..', '..', '..', 'typeorm-migrations');

/** TypeORM's table of the migrations that have run. */
export const MIGRATIONS_TABLE = 'schema_migrations';

/** Returns the names of this build's migrations as in MIGRATIONS_TABLE, in order (`Jobs1795305907000`). */
export function migrationNames(): string[] {
  return migrationFiles().map(({ time, words }) => pascal(words) + time);
}

/** Returns the files of the migrations, in order, and the parts of their names. */
export function migrationFiles(): { file: string; time: string; words: string }[] {
  const files = readdirSync(MIGRATIONS_FOLDER).sort();
  return files.flatMap((file) => {
    const [, time, words] = /^(\d{13})-([a-z0-9-]+)\.[jt]s$/.exec(file) ?? [];
    return time && words ? [{ file, time, words }] : [];
  });
}

function pascal(kebab: string): string {
  return kebab.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
