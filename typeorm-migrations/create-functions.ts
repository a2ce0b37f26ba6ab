import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueryRunner } from 'typeorm';

/**
 * Creates SQL functions in the given order. Each has its own file, `sql/<folder>/<name>.sql`, with its definition,
 * comment, grants and owner. A file runs in the transaction of its migration.
 * @param folder the name of the migration without its time
 */
export async function createFunctions(
  queryRunner: QueryRunner,
  folder: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    await queryRunner.query(readFileSync(join(__dirname, 'sql', folder, `${name}.sql`), 'utf8'));
  }
}
