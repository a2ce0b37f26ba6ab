import type { DirectConnection } from '../../platform/database/driver/direct-connection';
import { ENTRY_BYTES } from '../seals/tree-entries';
import type { TileDirectory } from './tile-directory';

/** Limits of one statement: seals of each minute are small and many, those after a pause have up to 9.8 MB. */
const SEALS_AT_ONCE = 1_000;
const SEAL_BYTES_AT_ONCE = 8_000_000;

const LIST_SEALS = `
  SELECT tree_size AS "treeSize", entries, checkpoint FROM (
    SELECT *, sum(octet_length(entries)) OVER (ORDER BY id) - octet_length(entries) AS earlier_bytes
    FROM (SELECT * FROM audit.seals WHERE tree_size > $1 ORDER BY id LIMIT ${SEALS_AT_ONCE}) AS next_seals
  ) AS s
  WHERE earlier_bytes < ${SEAL_BYTES_AT_ONCE} ORDER BY id`;

const FIND_SIZE = 'SELECT coalesce(max(tree_size), 0) AS "treeSize" FROM audit.seals';

/**
 * Adds the entries of the log that a directory does not have yet. Login: that of the migrations, which reads the seals.
 * Returns the number of entries in the directory, and how many are new.
 * @throws Error when the log does not extend the checkpoint in the directory
 */
export async function exportTiles(
  connection: DirectConnection,
  directory: TileDirectory,
): Promise<{ size: number; added: number }> {
  const before = directory.readCheckpoint()?.size ?? 0;
  const [log] = await connection.query<{ treeSize: number }>(FIND_SIZE);
  if (log!.treeSize < before)
    throw new Error(`The log was cut: it has ${log!.treeSize} entries, and ${before} are in ${directory.path}.`);
  let size = before;
  for (;;) {
    type Seal = { readonly treeSize: number; readonly entries: Buffer; readonly checkpoint: string };
    const seals = await connection.query<Seal>(LIST_SEALS, [size]);
    const last = seals.at(-1);
    if (!last) return { size, added: size - before };
    const entries = Buffer.concat(seals.map((seal) => seal.entries));
    await directory.append(entries, last.checkpoint);
    size += entries.length / ENTRY_BYTES;
  }
}
