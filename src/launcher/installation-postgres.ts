import { join } from 'node:path';
import type { DataFolder } from './data-folder';
import { EmbeddedPostgres } from './embedded-postgres';
import type { Secrets } from './secrets';

/** The database of an installation on embedded services. */
export const DATABASE = 'gigvault';

/** Returns the PostgreSQL of an installation, not started. */
export function installationPostgres(folder: DataFolder, { values }: Secrets): EmbeddedPostgres {
  return new EmbeddedPostgres({
    folder: join(folder.servicesFolder(values.servicesName), 'postgres'),
    logFile: folder.logOf('postgres'),
    superuserPassword: values.passwords.superuser,
    preferredPort: values.ports.postgres,
  });
}
