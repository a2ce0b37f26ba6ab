import { existsSync } from 'node:fs';
import { type CatalogQuery, type UnknownSchema, unknownSchema } from '../platform/database/preconditions';
import { LaunchError } from './launch-error';

/** A database that another version of Gigvault has migrated and this one must not touch. */
export class UnknownSchemaError extends LaunchError {
  override name = 'UnknownSchemaError';

  constructor(readonly schema: UnknownSchema) {
    super(`Nothing was changed: ${schema.reason}.`);
  }
}

/**
 * Refuses a database with migrations that this version does not have. Call it before anything is changed.
 * @throws UnknownSchemaError
 */
export async function assertKnownSchema(query: CatalogQuery): Promise<void> {
  const schema = await unknownSchema(query);
  if (schema !== undefined) throw new UnknownSchemaError(schema);
}

/**
 * Adds to an UnknownSchemaError the commands that keep or remove the data of an installation on embedded services.
 * @param dataFolder the installation's folder; it is moved as a whole, so its keys stay with its data
 * @param servicesFolder where its PostgreSQL and Redis keep their files
 */
export function withCommands(error: unknown, dataFolder: string, servicesFolder: string): unknown {
  if (!(error instanceof UnknownSchemaError) || !error.schema.isOlder) return error;
  const kept = freeName(`${dataFolder}-old`);
  const folders = [...new Set([dataFolder, servicesFolder])];
  return new LaunchError(`${error.message}
With Gigvault stopped,
  keep the data   mv ${quoted(dataFolder)} ${quoted(kept)}
  remove it       rm -rf ${folders.map(quoted).join(' ')}
and start again. The version that made the data still runs on it with GIGVAULT_DATA_DIR=${quoted(kept)}.`);
}

function freeName(path: string, count = 1): string {
  const name = count === 1 ? path : `${path}-${count}`;
  return existsSync(name) ? freeName(path, count + 1) : name;
}

/** As a POSIX shell takes it for one word. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
