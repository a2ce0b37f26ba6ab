import type { AdminReader } from '../../platform/database/system-database';
import { whyNotExtended } from './head-file';
import { appendLeaves, hashLeaves, HASH_BYTES, type Tile, TreeHead } from './merkle-tree';
import { type Checkpoint, NoteVerifier } from './signed-note';
import { SealedRows } from './sealed-rows';
import { ENTRY_BYTES, formatFloors, listIds, type LogName, readId, readLog, TABLES } from './tree-entries';

/** Sealed rows that one statement reads; two run at a time. */
const CHUNK_ROWS = 25_000;

/** Limits of one statement: seals of each minute are small and many, those after a pause have up to 9.8 MB. */
const SEALS_AT_ONCE = 1_000;
const SEAL_BYTES_AT_ONCE = 8_000_000;

const LIST_SEALS = `
  SELECT id, tree_size AS "treeSize", root_hash AS "rootHash", audit_floor AS "auditFloor",
    security_floor AS "securityFloor", entries, checkpoint, verifier_key AS "verifierKey"
  FROM (
    SELECT *, sum(octet_length(entries)) OVER (ORDER BY id) - octet_length(entries) AS earlier_bytes
    FROM (SELECT * FROM audit.seals WHERE id > $1 ORDER BY id LIMIT ${SEALS_AT_ONCE}) AS next_seals
  ) AS s
  WHERE earlier_bytes < ${SEAL_BYTES_AT_ONCE} ORDER BY id`;

const CHECK_ENTRIES = 'SELECT audit.check_entries($1, $2, $3) AS entries';

const LIST_TILES = 'SELECT level, index, hashes FROM audit.tiles ORDER BY level, index';

const FIND_REMOVALS = 'SELECT event_id AS "eventId", log, before FROM audit.removals()';

/** An entry of `audit.check_entries()`: that of the tree, and a letter. */
const CHECKED_BYTES = ENTRY_BYTES + 1;
const ERASED = 0x65;
const UNCOVERED = 0x78;

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

/** A difference between the logs and their seals. */
export interface Tampering {
  /** For example `audit_logs 42`, `seal 7` or `tile 0/3`. */
  readonly place: string;
  readonly problem: string;
}

/** The result of a verification. Without `tampering`, the logs are as they were when their rows were sealed. */
export interface VerificationReport {
  /** Number of entries of the tree. */
  readonly treeSize: number;
  readonly seals: number;
  /** Rows whose values were erased with their user, and whose hashes are intact. */
  readonly erased: number;
  /** Sealed rows that were deleted or archived because of their age. */
  readonly removed: number;
  /** Committed rows that no seal covers yet. */
  readonly unsealed: number;
  readonly tampering: readonly Tampering[];
}

/** What a verification trusts besides the database. */
export interface TrustedFacts {
  /** The keys that may have signed the newest head. */
  readonly keys: readonly NoteVerifier[];
  /** Heads that were kept outside of the database. */
  readonly heads: readonly Checkpoint[];
}

/**
 * Compares both logs with their seals: each row, each seal, each tile and each head. `read` runs one read-only unit as
 * gigvault_admin or gigvault_worker; two run at a time.
 */
export class LogVerifier {
  private readonly tampering: Tampering[] = [];
  private readonly leafHashes: Buffer[] = [];
  private readonly sealed: Readonly<Record<LogName, SealedRows>> = {
    audit: new SealedRows(),
    security: new SealedRows(),
  };
  private readonly counts = { seals: 0, erased: 0, removed: 0, unsealed: 0 };
  private head = new TreeHead();
  private newest: StoredSeal | undefined;

  constructor(
    private readonly read: AdminReader,
    private readonly trusted: TrustedFacts,
  ) {}

  /** Verifies everything. Call it once. */
  async verify(): Promise<VerificationReport> {
    await this.verifySeals();
    await this.verifyTiles();
    await this.verifyHeads();
    for (const log of ['audit', 'security'] as const) await this.verifyRows(log);
    return { treeSize: this.head.size, ...this.counts, tampering: this.tampering };
  }

  private report(place: string, problem: string): void {
    this.tampering.push({ place, problem });
  }

  private async verifySeals(): Promise<void> {
    for (;;) {
      const after = this.newest?.id ?? 0;
      const seals = await this.read((unit) => unit.query<StoredSeal>(LIST_SEALS, [after]));
      if (seals.length === 0) break;
      for (const seal of seals) this.verifySeal(seal);
    }
    const { newest } = this;
    if (newest && !this.trusted.keys.some((key) => key.verify(newest.checkpoint)))
      this.report(`seal ${newest.id}`, 'the newest head is not signed by a trusted key');
  }

  private verifySeal(seal: StoredSeal): void {
    const place = `seal ${seal.id}`;
    if (seal.id !== (this.newest?.id ?? 0) + 1) this.report(place, `seal ${seal.id - 1} is missing before it`);
    this.addEntries(seal.entries, place);
    this.verifyFloors(seal, place);
    const root = this.head.root();
    const checkpoint = readCheckpoint(seal);
    if (seal.treeSize !== this.head.size) this.report(place, `the tree has ${this.head.size} entries`);
    else if (!checkpoint) this.report(place, 'the signature of its head is wrong');
    else if (checkpoint.size !== this.head.size) this.report(place, `its head has ${checkpoint.size} entries`);
    else if (!checkpoint.root.equals(root) || !seal.rootHash.equals(root))
      this.report(place, 'its entries are not those of its head');
    else if (!checkpoint.extension.startsWith(formatFloors(seal.auditFloor, seal.securityFloor)))
      this.report(place, 'its floors are not those of its head');
    else if (this.newest && readOrigin(this.newest) !== checkpoint.origin)
      this.report(place, 'its head is of another log');
    this.newest = seal;
    this.counts.seals += 1;
  }

  /** All rows up to a floor were sealed, so that no later seal has one of them. */
  private verifyFloors({ auditFloor, securityFloor, entries }: StoredSeal, place: string): void {
    const earlier = this.newest;
    if (!earlier) return;
    if (auditFloor < earlier.auditFloor || securityFloor < earlier.securityFloor)
      this.report(place, 'its floors are below those of the seal before');
    const floors: Readonly<Record<LogName, number>> = { audit: earlier.auditFloor, security: earlier.securityFloor };
    for (const log of ['audit', 'security'] as const) {
      const added = listIds(entries, log, Number.MIN_SAFE_INTEGER);
      for (const id of added.filter((each) => each <= floors[log]))
        this.report(`${TABLES[log]} ${id}`, 'it was inserted later');
    }
  }

  private addEntries(entries: Buffer, place: string): void {
    const hashes = hashLeaves(entries, ENTRY_BYTES);
    this.leafHashes.push(hashes);
    for (let i = 0; i * ENTRY_BYTES < entries.length; i += 1) {
      this.head.add(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
      const log = readLog(entries, i * ENTRY_BYTES);
      if (log) this.sealed[log].add(entries, i * ENTRY_BYTES);
      else this.report(place, `its entry ${i} is of no log`);
    }
  }

  private async verifyTiles(): Promise<void> {
    const expected = await appendLeaves(0, Buffer.concat(this.leafHashes), () => Promise.resolve(Buffer.alloc(0)));
    const stored = await this.read((unit) => unit.query<Tile>(LIST_TILES));
    const byPlace = new Map(stored.map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]));
    for (const { level, index, hashes } of expected) {
      const name = `${level}/${index}`;
      // A seal that was stored after the last one read has added hashes.
      if (!byPlace.get(name)?.subarray(0, hashes.length).equals(hashes))
        this.report(`tile ${name}`, 'its hashes are not those of the entries');
    }
  }

  private async verifyHeads(): Promise<void> {
    for (const head of this.trusted.heads) {
      const reason =
        this.newest && readOrigin(this.newest) !== head.origin
          ? 'the log has another origin'
          : await whyNotExtended(head, this.head.size, this.read);
      if (reason !== undefined) this.report(`head of ${head.size} entries`, reason);
    }
  }

  private async verifyRows(log: LogName): Promise<void> {
    const sealed = this.sealed[log].sort();
    const floor = (log === 'audit' ? this.newest?.auditFloor : this.newest?.securityFloor) ?? 0;
    for (const id of sealed.repeated()) this.report(`${TABLES[log]} ${id}`, 'it was sealed twice');
    const missing: Buffer[] = [];
    const chunks = sealed.split(CHUNK_ROWS);
    for (let i = 0; i < chunks.length; i += 2) {
      const pair = chunks.slice(i, i + 2);
      const rows = await Promise.all(pair.map(({ after, until }) => this.readRows(log, after, until)));
      const entries = pair.flatMap((chunk) => chunk.entries);
      missing.push(...this.compareRows(log, Buffer.concat(rows), entries, floor));
    }
    await this.explainMissing(log, missing);
  }

  private async readRows(log: LogName, after: number | string, until: number | string): Promise<Buffer> {
    const [row] = await this.read((unit) => unit.query<{ entries: Buffer | null }>(CHECK_ENTRIES, [log, after, until]));
    return row?.entries ?? Buffer.alloc(0);
  }

  /** Compares the rows and the sealed entries of a range of ids. Returns the entries without a row. */
  private compareRows(log: LogName, rows: Buffer, sealed: readonly Buffer[], floor: number): Buffer[] {
    const missing: Buffer[] = [];
    let next = 0;
    for (let offset = 0; offset < rows.length; offset += CHECKED_BYTES) {
      const entry = rows.subarray(offset, offset + ENTRY_BYTES);
      const id = readId(entry, 0);
      while (next < sealed.length && readId(sealed[next]!, 0) < id) missing.push(sealed[next++]!);
      const isSealed = next < sealed.length && readId(sealed[next]!, 0) === id;
      this.compareRow(
        `${TABLES[log]} ${id}`,
        entry,
        rows[offset + ENTRY_BYTES]!,
        isSealed ? sealed[next]! : undefined,
        {
          isPending: id > floor,
        },
      );
      if (isSealed) next += 1;
    }
    return [...missing, ...sealed.slice(next)];
  }

  private compareRow(
    place: string,
    entry: Buffer,
    letter: number,
    sealed: Buffer | undefined,
    { isPending }: { readonly isPending: boolean },
  ): void {
    if (!sealed && isPending) this.counts.unsealed += 1;
    else if (!sealed) this.report(place, 'it was inserted later');
    else if (!sealed.equals(entry)) this.report(place, 'it was changed');
    else if (letter === UNCOVERED) this.report(place, 'its values are gone without an erasure, or were replaced');
    else if (letter === ERASED) this.counts.erased += 1;
  }

  private async explainMissing(log: LogName, missing: readonly Buffer[]): Promise<void> {
    if (missing.length === 0) return;
    const removals = await this.read((unit) =>
      unit.query<{ eventId: number; log: LogName; before: number }>(FIND_REMOVALS),
    );
    const events = this.sealed.security;
    const ofLog = removals.filter((each) => each.log === log).sort((left, right) => right.before - left.before);
    // Only an event on record explains what is missing.
    const before = ofLog.find(({ eventId }) => events.has(eventId))?.before ?? -Infinity;
    for (const entry of missing) {
      const createdAt = Number(entry.readBigInt64BE(9));
      if (createdAt < before) this.counts.removed += 1;
      else this.report(`${TABLES[log]} ${readId(entry, 0)}`, 'it was deleted');
    }
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
