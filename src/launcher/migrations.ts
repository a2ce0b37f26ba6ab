import type { DataSource } from 'typeorm';
import { migrationSource } from '../platform/database/migrations';
import { assertKnownSchema } from './unknown-schema';

/**
 * Runs every pending migration as the migration login and returns their names. Each runs in its own transaction.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function migrate(migrationUrl: string): Promise<string[]> {
  return withDataSource(migrationUrl, async (dataSource) => {
    return (await dataSource.runMigrations({ transaction: 'each' })).map(({ name }) => name);
  });
}

/**
 * Undoes the newest migration.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function revertLatest(migrationUrl: string): Promise<void> {
  await withDataSource(migrationUrl, (dataSource) => dataSource.undoLastMigration({ transaction: 'each' }));
}

async function withDataSource<T>(url: string, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = migrationSource(url);
  await dataSource.initialize();
  try {
    await assertKnownSchema((sql) => dataSource.query<Record<string, unknown>[]>(sql));
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
