import type { DataSource } from 'typeorm';
import { migrationSource } from '../platform/database/migrations';
import { newerSchema } from '../platform/database/preconditions';

/**
 * Runs every pending migration as the migration login and returns their names. Each runs in its own transaction.
 * @throws Error when a newer release has migrated the database
 */
export async function migrate(migrationUrl: string): Promise<string[]> {
  return withDataSource(migrationUrl, async (dataSource) => {
    const newer = await newerSchema((sql) => dataSource.query<Record<string, unknown>[]>(sql));
    if (newer !== undefined) throw new Error(`Not migrated: ${newer}.`);
    return (await dataSource.runMigrations({ transaction: 'each' })).map(({ name }) => name);
  });
}

/** Undoes the newest migration. */
export async function revertLatest(migrationUrl: string): Promise<void> {
  await withDataSource(migrationUrl, (dataSource) => dataSource.undoLastMigration({ transaction: 'each' }));
}

async function withDataSource<T>(url: string, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = migrationSource(url);
  await dataSource.initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
