import './src/platform/config/load-config';
import { loadSettings } from './src/platform/config/load-config';
import { migrationSource } from './src/platform/database/schema/migration-source';

/**
 * What the TypeORM CLI works with: the migrations, as gigvault_migrator (its sessions act as gigvault_owner, so what it
 * makes belongs to that role). The server never reads this file.
 */
export const dataSource = migrationSource(loadSettings(['DATABASE_MIGRATION_URL']).DATABASE_MIGRATION_URL);
