import { OperatorError } from '../../src/local-services/data-folder';
import {
  type NodeVersion,
  type PostgresVersion,
  type RedisVersion,
  NODE_VERSIONS,
  POSTGRES_VERSIONS,
  REDIS_VERSIONS,
} from './versions';

/** One combination of versions. */
export interface Cell {
  readonly node: NodeVersion;
  readonly postgres: PostgresVersion;
  readonly redis: RedisVersion;
}

/** The options of the command that select cells. */
export interface CellFilter {
  readonly all?: boolean;
  readonly node?: string;
  readonly postgres?: string;
  readonly redis?: string;
}

/**
 * A Latin square: rows are versions of Node, columns versions of PostgreSQL, numbers versions of Redis. Each pair of
 * versions occurs once, and the diagonal has each version once.
 */
const SQUARE = [
  [0, 2, 3, 1],
  [3, 1, 0, 2],
  [1, 3, 2, 0],
  [2, 0, 1, 3],
];

/**
 * Returns the cells to run: those with the given versions, the whole square with `all`, otherwise its diagonal.
 * @throws OperatorError for an unknown version, with the known ones
 */
export function selectCells({ all = false, ...versions }: CellFilter): Cell[] {
  const node = assertKnown(NODE_VERSIONS, versions.node);
  const postgres = assertKnown(POSTGRES_VERSIONS, versions.postgres);
  const redis = assertKnown(REDIS_VERSIONS, versions.redis);
  const isDiagonal = !all && node === undefined && postgres === undefined;
  return buildSquare()
    .filter((_, index) => !isDiagonal || index % (SQUARE.length + 1) === 0)
    .filter((cell) => (node ?? cell.node) === cell.node && (postgres ?? cell.postgres) === cell.postgres)
    .map((cell) => ({ ...cell, redis: redis ?? cell.redis }));
}

function buildSquare(): Cell[] {
  const servers = listKeys(POSTGRES_VERSIONS);
  const caches = listKeys(REDIS_VERSIONS);
  return listKeys(NODE_VERSIONS).flatMap((node, row) =>
    servers.map((postgres, column) => ({ node, postgres, redis: caches[SQUARE[row]![column]!]! })),
  );
}

function assertKnown<Versions extends object>(versions: Versions, name?: string): keyof Versions | undefined {
  const keys = listKeys(versions);
  const known = keys.find((key) => key === name);
  if (name !== undefined && known === undefined)
    throw new OperatorError(`Unknown version ${name}. Known: ${keys.join(', ')}.`);
  return known;
}

/** Returns the keys, ordered by number: integer keys would otherwise come first. */
function listKeys<Versions extends object>(versions: Versions): (keyof Versions)[] {
  const keys = Object.keys(versions) as (keyof Versions)[];
  return keys.sort((a, b) => Number.parseFloat(String(a)) - Number.parseFloat(String(b)) || 0);
}
