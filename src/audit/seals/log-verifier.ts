import type { AdminReader } from '../../platform/database/system-database';
import { Findings, type Tampering } from './findings';
import { whyNotExtended } from './head-file';
import { SealVerifier } from './seal-verifier';
import { type Chunk, EntryList, type TimeRange } from './sealed-rows';
import type { Checkpoint, NoteVerifier } from './signed-note';
import { ENTRY_BYTES, type LogName, readId, readTime, TABLES } from './tree-entries';

const LOGS: readonly LogName[] = ['audit', 'security'];

/** Sealed rows that one statement reads; two run at a time. */
const CHUNK_ROWS = 2 ** 15;

const CHECK_ENTRIES = 'SELECT audit.check_entries($1, $2, $3, $4, $5) AS entries';

const FIND_REMOVALS = 'SELECT event_id AS "eventId", log, before FROM audit.removals()';

const FIND_TREE_SIZE = 'SELECT tree_size AS "treeSize" FROM audit.seals ORDER BY id DESC LIMIT 1';

/** An entry of `audit.check_entries()`: that of the tree, and a letter. */
const CHECKED_BYTES = ENTRY_BYTES + 1;
const ERASED = 0x65;
const UNCOVERED = 0x78;

/** The result of a verification. Without `tampering`, the logs are as they were when their rows were sealed. */
export interface VerificationReport {
  /** Number of entries of the tree. */
  readonly treeSize: number;
  readonly seals: number;
  /** Rows that were compared with their seals. */
  readonly rows: number;
  /** Rows whose values were erased with their user, and whose hashes are intact. */
  readonly erased: number;
  /** Sealed rows that were deleted or archived because of their age. */
  readonly removed: number;
  /** Committed rows that no seal covers yet. */
  readonly unsealed: number;
  /** Number of differences. */
  readonly differences: number;
  /** The first 1,000 differences. */
  readonly tampering: readonly Tampering[];
}

/** What a verification trusts besides the database. */
export interface TrustedFacts {
  /** The keys that may have signed the newest head. */
  readonly keys: readonly NoteVerifier[];
  /** Heads that were kept outside of the database. */
  readonly heads: readonly Checkpoint[];
}

/** What a verification compares, and how it can be followed and ended. */
export interface VerifyOptions {
  /** Compares only rows with a time from here on. The seals are verified as a whole. */
  readonly from?: Date;
  /** Compares only rows with a time before. */
  readonly until?: Date;
  /** Seals all rows. It is called when rows are missing: the event of their removal explains them once it is sealed. */
  readonly seal?: () => Promise<unknown>;
  /** Receives the share of the work that is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Ends the verification with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Compares both logs with their seals: each row, each seal, each tile and each head. `read` runs one read-only unit as
 * gigvault_admin or gigvault_worker; two run at a time. Memory is about 60 bytes for each entry; the event loop is
 * never blocked for more than some ten milliseconds.
 */
export class LogVerifier {
  private readonly findings = new Findings();
  private readonly seals: SealVerifier;
  private readonly range: TimeRange;
  private readonly missing: Readonly<Record<LogName, EntryList>> = {
    audit: new EntryList(),
    security: new EntryList(),
  };
  private readonly removedBefore: Record<LogName, number> = { audit: -Infinity, security: -Infinity };
  private readonly counts = { rows: 0, erased: 0, removed: 0, unsealed: 0 };
  private readonly progress = { done: 0, total: 0 };

  constructor(
    private readonly read: AdminReader,
    private readonly trusted: TrustedFacts,
    private readonly options: VerifyOptions = {},
  ) {
    this.seals = new SealVerifier(read, this.findings, this.advance.bind(this));
    this.range = { from: toMicroseconds(options.from) ?? -Infinity, until: toMicroseconds(options.until) ?? Infinity };
  }

  /** Verifies everything. Call it once. */
  async verify(): Promise<VerificationReport> {
    const [newest] = await this.read((unit) => unit.query<{ treeSize: number }>(FIND_TREE_SIZE));
    // Each entry is read from its seal and compared with its row.
    this.progress.total = 2 * (newest?.treeSize ?? 1);
    await this.seals.verifyNext();
    await this.findRemovals();
    for (const log of LOGS) await this.verifyRows(log);
    await this.explainMissing();
    await this.seals.finish(this.trusted.keys);
    await this.verifyHeads();
    const { count, treeSize } = this.seals;
    const { count: differences, named: tampering } = this.findings;
    return { treeSize, seals: count, ...this.counts, differences, tampering };
  }

  private get isLimited(): boolean {
    return this.options.from !== undefined || this.options.until !== undefined;
  }

  private advance(entries: number): void {
    const { progress, options } = this;
    options.signal?.throwIfAborted();
    progress.done += entries;
    options.onProgress?.(Math.min(1, progress.done / progress.total));
  }

  private async verifyHeads(): Promise<void> {
    const { origin, treeSize } = this.seals;
    for (const head of this.trusted.heads) {
      const reason =
        origin !== undefined && origin !== head.origin
          ? 'the log has another origin'
          : await whyNotExtended(head, treeSize, this.read);
      if (reason !== undefined) this.findings.report(`head of ${head.size} entries`, reason);
    }
  }

  private async verifyRows(log: LogName): Promise<void> {
    const chunks = this.seals.sealed[log].split(CHUNK_ROWS, this.range);
    // Both loops take from one generator, and an error of one ends it for the other.
    const compareNext = async (): Promise<void> => {
      for (const chunk of chunks) {
        const rows = await this.readRows(log, chunk);
        this.compareRows(log, rows, chunk.entries);
        this.advance(chunk.entries.length / ENTRY_BYTES);
      }
    };
    await Promise.all([compareNext(), compareNext()]);
  }

  private async readRows(log: LogName, { after, until }: Chunk): Promise<Buffer> {
    const values = [log, after, until, this.options.from, this.options.until];
    const [row] = await this.read((unit) => unit.query<{ entries: Buffer | null }>(CHECK_ENTRIES, values));
    return row?.entries ?? Buffer.alloc(0);
  }

  /** Compares the rows and the sealed entries of a range of ids, both by id. */
  private compareRows(log: LogName, rows: Buffer, sealed: Buffer): void {
    let next = 0;
    for (let offset = 0; offset < rows.length; offset += CHECKED_BYTES) {
      const id = readId(rows, offset);
      for (; next < sealed.length && readId(sealed, next) < id; next += ENTRY_BYTES)
        this.noteMissing(log, sealed, next);
      const place = `${TABLES[log]} ${id}`;
      if (next >= sealed.length || readId(sealed, next) !== id) {
        this.noteUnsealed(log, id);
        continue;
      }
      if (sealed.compare(rows, offset, offset + ENTRY_BYTES, next, next + ENTRY_BYTES) !== 0)
        this.findings.report(place, 'it was changed');
      else this.noteLetter(place, rows[offset + ENTRY_BYTES]!);
      next += ENTRY_BYTES;
      for (; next < sealed.length && readId(sealed, next) === id; next += ENTRY_BYTES)
        this.findings.report(place, 'it was sealed twice');
    }
    for (; next < sealed.length; next += ENTRY_BYTES) this.noteMissing(log, sealed, next);
    this.counts.rows += rows.length / CHECKED_BYTES;
  }

  private noteUnsealed(log: LogName, id: number): void {
    const place = `${TABLES[log]} ${id}`;
    // Only in a range of times: the entry has another time.
    if (this.isLimited && this.seals.sealed[log].has(id)) this.findings.report(place, 'its time was changed');
    else if (id > this.seals.floorOf(log)) this.counts.unsealed += 1;
    else this.findings.report(place, 'it was inserted later');
  }

  private noteLetter(place: string, letter: number): void {
    if (letter === UNCOVERED) this.findings.report(place, 'its values are gone without an erasure, or were replaced');
    else if (letter === ERASED) this.counts.erased += 1;
  }

  private noteMissing(log: LogName, sealed: Buffer, offset: number): void {
    if (readTime(sealed, offset) < this.removedBefore[log]) this.counts.removed += 1;
    else this.missing[log].add(sealed, offset);
  }

  /** Only an event on record explains what is missing: it must be sealed. */
  private async findRemovals(): Promise<void> {
    type Removal = { eventId: number; log: LogName; before: number };
    const removals = await this.read((unit) => unit.query<Removal>(FIND_REMOVALS));
    const events = this.seals.sealed.security;
    for (const { eventId, log, before } of removals)
      if (before > this.removedBefore[log] && events.has(eventId)) this.removedBefore[log] = before;
  }

  private async explainMissing(): Promise<void> {
    const { missing, options, seals, counts } = this;
    if (LOGS.every((log) => missing[log].entries.length === 0)) return;
    // Rows that were removed meanwhile.
    await options.seal?.();
    await seals.verifyNext();
    await this.findRemovals();
    const problem = this.isLimited ? 'it was deleted, or its time was changed' : 'it was deleted';
    for (const log of LOGS) {
      const { entries } = missing[log];
      for (let offset = 0; offset < entries.length; offset += ENTRY_BYTES)
        if (readTime(entries, offset) < this.removedBefore[log]) counts.removed += 1;
        else this.findings.report(`${TABLES[log]} ${readId(entries, offset)}`, problem);
    }
  }
}

/** Returns microseconds since 2000-01-01 UTC. */
function toMicroseconds(instant: Date | undefined): number | undefined {
  return instant && (instant.getTime() - Date.UTC(2000, 0, 1)) * 1_000;
}
