import type { SystemDatabase } from '../../platform/database/system-database';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { appendLeaves, MerkleTree, type Tile, type TileReader } from './merkle-tree';
import { formatCheckpoint, type NoteSigner } from './signed-note';
import {
  ENTRY_BYTES,
  formatFloors,
  type HashedEntries,
  type IdChunk,
  listIds,
  splitEntries,
  splitIds,
} from './tree-entries';

/** Limit of rows of a log in one seal, without late ones; 100,000 rows have 4.9 MB of entries. */
const MAX_ROWS = 100_000;

/** Least ids that one statement reads; a second connection reads half of the chunks. */
const CHUNK_IDS = 20_000;

/** What a seal covers: see audit.begin_seal(). */
interface SealRange {
  readonly id: number;
  readonly treeSize: number;
  readonly auditFloor: number;
  readonly securityFloor: number;
  readonly auditUntil: number;
  readonly securityUntil: number;
  readonly nextAuditFloor: number;
  readonly nextSecurityFloor: number;
  /** Null before the first seal. */
  readonly origin: string | null;
}

const BEGIN = `
  SELECT id, tree_size AS "treeSize", audit_floor AS "auditFloor", security_floor AS "securityFloor",
    audit_until AS "auditUntil", security_until AS "securityUntil", next_audit_floor AS "nextAuditFloor",
    next_security_floor AS "nextSecurityFloor", origin
  FROM audit.begin_seal($1)`;

const FIND_HEAD = `
  SELECT split_part(checkpoint, E'\\n', 1) AS origin, checkpoint
  FROM audit.seals ORDER BY id DESC LIMIT 1`;

const FIND_RECENT = 'SELECT entries FROM audit.seals WHERE audit_until > $1 OR security_until > $2';

const LIST_ENTRIES = 'SELECT audit.log_entries($1, $2, $3, $4) AS entries';

const STORE = 'SELECT audit.store_seal($1, $2, $3, $4, $5, $6, $7)';

/** The newest head of the log. */
export interface LogHead {
  readonly origin: string;
  /** The signed note. */
  readonly checkpoint: string;
}

/** Seals the rows of both logs that are committed and not sealed yet. Session: gigvault_worker. */
export class AuditSealer {
  /** @param createSigner returns the signer of the log with this origin; `null` asks for a new origin */
  constructor(
    private readonly database: SystemDatabase,
    private readonly createSigner: (origin: string | null) => NoteSigner,
  ) {}

  /**
   * Seals up to 100,000 rows of each log in one transaction and returns their number. Without such rows, nothing is
   * stored. Never waits for a writer, and no writer waits for it.
   */
  sealNext(): Promise<number> {
    return this.database.asScheduler(async (unit) => {
      const [range] = await unit.query<SealRange>(BEGIN, [MAX_ROWS]);
      const added = await this.readEntries(unit, range!);
      const bytes = added.reduce((sum, { entries }) => sum + entries.length, 0);
      if (bytes > 0) await this.store(unit, range!, added);
      return bytes / ENTRY_BYTES;
    });
  }

  /** Returns the newest head; undefined before the first seal. */
  async readHead(): Promise<LogHead | undefined> {
    const [head] = await this.database.asScheduler((unit) => unit.query<LogHead>(FIND_HEAD));
    return head;
  }

  private async readEntries(unit: UnitOfWork, range: SealRange): Promise<HashedEntries[]> {
    const { auditFloor, auditUntil, securityFloor, securityUntil } = range;
    const recent = await unit.query<{ entries: Buffer }>(FIND_RECENT, [auditFloor, securityFloor]);
    const sealed = Buffer.concat(recent.map(({ entries }) => entries));
    const known = { audit: listIds(sealed, 'audit', auditFloor), security: listIds(sealed, 'security', securityFloor) };
    const chunks = [
      ...splitIds('audit', auditFloor, auditUntil, CHUNK_IDS),
      ...splitIds('security', securityFloor, securityUntil, CHUNK_IDS),
    ];
    const read = async (by: UnitOfWork, own: readonly IdChunk[]): Promise<HashedEntries[]> => {
      const found: HashedEntries[] = [];
      for (const chunk of own) found.push(await readChunk(by, chunk, known[chunk.log]));
      return found;
    };
    if (chunks.length <= 2) return read(unit, chunks);
    const isOther = (i: number): boolean => i % 2 === 1;
    const [own, others] = await Promise.all([
      read(
        unit,
        chunks.filter((_, i) => !isOther(i)),
      ),
      this.database.asScheduler((other) =>
        read(
          other,
          chunks.filter((_, i) => isOther(i)),
        ),
      ),
    ]);
    return [...own, ...others];
  }

  private async store(unit: UnitOfWork, range: SealRange, added: readonly HashedEntries[]): Promise<void> {
    const readStored = createTileReader(unit);
    const entries = Buffer.concat(added.map((each) => each.entries));
    const tiles = await appendLeaves(range.treeSize, Buffer.concat(added.map(({ hashes }) => hashes)), readStored);
    const treeSize = range.treeSize + entries.length / ENTRY_BYTES;
    const root = await new MerkleTree(treeSize, readChanged(tiles, readStored)).root();
    const signer = this.createSigner(range.origin);
    const { name: origin, text: verifierKey } = signer.verifier;
    const extension = formatFloors(range.nextAuditFloor, range.nextSecurityFloor);
    const seal = {
      id: range.id,
      tree_size: treeSize,
      audit_floor: range.nextAuditFloor,
      security_floor: range.nextSecurityFloor,
      audit_until: range.auditUntil,
      security_until: range.securityUntil,
      checkpoint: signer.sign(formatCheckpoint({ origin, size: treeSize, root, extension })),
      verifier_key: verifierKey,
    };
    await unit.query(STORE, [
      JSON.stringify(seal),
      root,
      entries,
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map(({ hashes }) => hashes.length),
      Buffer.concat(tiles.map(({ hashes }) => hashes)),
    ]);
  }
}

async function readChunk(unit: UnitOfWork, { log, after, until }: IdChunk, sealed: readonly number[]) {
  const known = sealed.filter((id) => id > after && id <= until);
  const [row] = await unit.query<{ entries: Buffer | null }>(LIST_ENTRIES, [log, after, until, known]);
  return splitEntries(row?.entries ?? Buffer.alloc(0));
}

/** Returns a reader of stored tiles; a missing one is empty. */
export function createTileReader(unit: UnitOfWork): TileReader {
  return async (level, index) => {
    const sql = 'SELECT hashes FROM audit.tiles WHERE level = $1 AND index = $2';
    const [row] = await unit.query<{ hashes: Buffer }>(sql, [level, index]);
    return row?.hashes ?? Buffer.alloc(0);
  };
}

function readChanged(tiles: readonly Tile[], readStored: TileReader): TileReader {
  const changed = new Map(tiles.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]));
  return async (level, index) => changed.get(`${level}/${index}`) ?? readStored(level, index);
}
