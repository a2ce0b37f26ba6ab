import { setImmediate } from 'node:timers/promises';
import type { AdminReader } from '../../platform/database/system-database';
import type { Findings } from './findings';
import { hashLeaves, HASH_BYTES, TreeHead } from './merkle-tree';
import { SealedRows } from './sealed-rows';
import { type Checkpoint, NoteVerifier } from './signed-note';
import { TileVerifier } from './tile-verifier';
import { ENTRY_BYTES, formatFloors, type LogName, readId, readLog, TABLES } from './tree-entries';

/** Limits of one statement: seals of each minute are small and many, those after a pause have up to 9.8 MB. */
const SEALS_AT_ONCE = 1_000;
const SEAL_BYTES_AT_ONCE = 4_000_000;

/** Bytes of entries that are hashed without a pause, in about 10 ms. */
const BYTES_AT_ONCE = 4_096 * ENTRY_BYTES;

const LIST_SEALS = `
  SELECT id, tree_size AS "treeSize", root_hash AS "rootHash", audit_floor AS "auditFloor",
    security_floor AS "securityFloor", entries, checkpoint, verifier_key AS "verifierKey"
  FROM (
    SELECT *, sum(octet_length(entries)) OVER (ORDER BY id) - octet_length(entries) AS earlier_bytes
    FROM (SELECT * FROM audit.seals WHERE id > $1 ORDER BY id LIMIT ${SEALS_AT_ONCE}) AS next_seals
  ) AS s
  WHERE earlier_bytes < ${SEAL_BYTES_AT_ONCE} ORDER BY id`;

/** A row of audit.seals. */
interface StoredSeal {
  readonly id: number;
  readonly treeSize: number;
  readonly rootHash: Buffer;
  readonly auditFloor: number;
  readonly securityFloor: number;
  readonly entries: Buffer;
  readonly checkpoint: string;
  readonly verifierKey: string;
}

/** Compares the seals and the tiles with the tree of their entries, and collects the entries. */
export class SealVerifier {
  readonly sealed: Readonly<Record<LogName, SealedRows>> = { audit: new SealedRows(), security: new SealedRows() };
  /** Number of seals that were read. */
  count = 0;
  private readonly tiles: TileVerifier;
  private readonly head: TreeHead;
  private newest: StoredSeal | undefined;

  constructor(
    private readonly read: AdminReader,
    private readonly findings: Findings,
    private readonly onEntries: (count: number) => void,
  ) {
    this.tiles = new TileVerifier(read, findings);
    this.head = new TreeHead(this.tiles.add.bind(this.tiles));
  }

  /** Number of entries of the tree. */
  get treeSize(): number {
    return this.head.size;
  }

  /** The name of the log in its newest head; undefined without a seal. */
  get origin(): string | undefined {
    return this.newest && readOrigin(this.newest);
  }

  /** Returns the id up to which all rows of a log are sealed. */
  floorOf(log: LogName): number {
    return (log === 'audit' ? this.newest?.auditFloor : this.newest?.securityFloor) ?? 0;
  }

  /** Verifies the seals that were stored since the last call, and the tiles that they filled. */
  async verifyNext(): Promise<void> {
    for (;;) {
      const after = this.newest?.id ?? 0;
      const seals = await this.read((unit) => unit.query<StoredSeal>(LIST_SEALS, [after]));
      if (seals.length === 0) return;
      for (const seal of seals) await this.verifySeal(seal);
    }
  }

  /** Verifies the signature of the newest head, and the tiles that are not full. Call it last. */
  async finish(keys: readonly NoteVerifier[]): Promise<void> {
    const { newest } = this;
    if (newest && !keys.some((key) => key.verify(newest.checkpoint)))
      this.findings.report(`seal ${newest.id}`, 'the newest head is not signed by a trusted key');
    await this.tiles.compareRest();
  }

  private async verifySeal(seal: StoredSeal): Promise<void> {
    const place = `seal ${seal.id}`;
    if (seal.id !== (this.newest?.id ?? 0) + 1) this.findings.report(place, `seal ${seal.id - 1} is missing before it`);
    for (let start = 0; start < seal.entries.length; start += BYTES_AT_ONCE) {
      this.addEntries(seal.entries.subarray(start, start + BYTES_AT_ONCE), place);
      await setImmediate();
    }
    await this.tiles.compareFull();
    const problem = this.findProblem(seal);
    if (problem !== undefined) this.findings.report(place, problem);
    const { auditFloor, securityFloor } = this.newest ?? seal;
    if (seal.auditFloor < auditFloor || seal.securityFloor < securityFloor)
      this.findings.report(place, 'its floors are below those of the seal before');
    this.newest = seal;
    this.count += 1;
  }

  private findProblem(seal: StoredSeal): string | undefined {
    const root = this.head.root();
    const checkpoint = readCheckpoint(seal);
    if (seal.treeSize !== this.head.size) return `the tree has ${this.head.size} entries`;
    if (!checkpoint) return 'the signature of its head is wrong';
    if (checkpoint.size !== this.head.size) return `its head has ${checkpoint.size} entries`;
    if (!checkpoint.root.equals(root) || !seal.rootHash.equals(root)) return 'its entries are not those of its head';
    if (!checkpoint.extension.startsWith(formatFloors(seal.auditFloor, seal.securityFloor)))
      return 'its floors are not those of its head';
    return this.newest && readOrigin(this.newest) !== checkpoint.origin ? 'its head is of another log' : undefined;
  }

  private addEntries(entries: Buffer, place: string): void {
    const hashes = hashLeaves(entries, ENTRY_BYTES);
    for (let i = 0; i * ENTRY_BYTES < entries.length; i += 1) {
      const index = this.head.size;
      this.head.add(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
      this.addEntry(entries, i * ENTRY_BYTES, `${place}, entry ${index}`);
    }
    this.onEntries(entries.length / ENTRY_BYTES);
  }

  private addEntry(entries: Buffer, offset: number, place: string): void {
    const log = readLog(entries, offset);
    const id = readId(entries, offset);
    if (!log || !Number.isSafeInteger(id)) {
      this.findings.report(place, 'it is of no row');
      return;
    }
    this.sealed[log].add(entries, offset);
    // All rows up to a floor were sealed, so no later seal has one of them.
    if (this.newest && id <= this.floorOf(log)) this.findings.report(`${TABLES[log]} ${id}`, 'it was inserted later');
  }
}

/** Returns the signed head of a seal; undefined when its own key has not signed it. */
function readCheckpoint({ checkpoint, verifierKey }: StoredSeal): Checkpoint | undefined {
  try {
    return NoteVerifier.parse(verifierKey).readCheckpoint(checkpoint);
  } catch {
    return undefined;
  }
}

function readOrigin({ checkpoint }: StoredSeal): string {
  return checkpoint.split('\n')[0]!;
}
