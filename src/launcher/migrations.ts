import type { DataSource } from 'typeorm';
import { migrationSource } from '../platform/database/migrations';

/** Runs every pending migration as the migration login and returns their names. Each runs in its own transaction. */
export async function migrate(migrationUrl: string): Promise<string[]> {
  return withDataSource(migrationUrl, async (dataSource) =>
    (await dataSource.runMigrations({ transaction: 'each' })).map(({ name }) => name),
  );
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
