import { HASH_BYTES } from './merkle-tree';

/** The logs whose rows the tree contains. */
export type LogName = 'audit' | 'security';

/** Bytes of an entry: the first letter of its log, id, time, and hash. See audit.audit_entry() and its sibling. */
export const ENTRY_BYTES = 49;

/** The tables of the logs. */
export const TABLES: Readonly<Record<LogName, string>> = { audit: 'audit_logs', security: 'security_logs' };

const LETTERS: Readonly<Record<LogName, number>> = { audit: 0x61, security: 0x73 };
const ID_OFFSET = 1;
const TIME_OFFSET = 9;

/** Returns the log of the entry at this offset; undefined for an unknown letter. */
export function readLog(entries: Buffer, offset: number): LogName | undefined {
  if (entries[offset] === LETTERS.audit) return 'audit';
  return entries[offset] === LETTERS.security ? 'security' : undefined;
}

/** Returns the row's id in the entry at this offset; an id of another program may be larger than 2⁵³. */
export function readId(entries: Buffer, offset: number): number {
  return readInt64(entries, offset + ID_OFFSET);
}

/** Returns the row's time in the entry at this offset, in microseconds since 2000-01-01 UTC. */
export function readTime(entries: Buffer, offset: number): number {
  return readInt64(entries, offset + TIME_OFFSET);
}

/** In a tenth of the time of a BigInt. */
function readInt64(bytes: Buffer, offset: number): number {
  return bytes.readInt32BE(offset) * 2 ** 32 + bytes.readUInt32BE(offset + 4);
}

/** Returns the ids above `after` of the entries of a log. */
export function listIds(entries: Buffer, log: LogName, after: number): number[] {
  const ids: number[] = [];
  for (let offset = 0; offset < entries.length; offset += ENTRY_BYTES) {
    if (entries[offset] !== LETTERS[log]) continue;
    const id = readId(entries, offset);
    if (id > after) ids.push(id);
  }
  return ids;
}

/** Ids of a log, above `after` and up to `until`. */
export interface IdChunk {
  readonly log: LogName;
  readonly after: number;
  readonly until: number;
}

/** Splits a range of ids into at most ten chunks of at least `minSize` ids; ids may have large gaps. */
export function splitIds(log: LogName, after: number, until: number, minSize: number): IdChunk[] {
  const size = Math.max(minSize, Math.ceil((until - after) / 10));
  return Array.from({ length: Math.max(0, Math.ceil((until - after) / size)) }, (_, i) => ({
    log,
    after: after + i * size,
    until: Math.min(until, after + (i + 1) * size),
  }));
}

/** Entries and the hashes of their leaves. */
export interface HashedEntries {
  readonly entries: Buffer;
  readonly hashes: Buffer;
}

/** Splits the result of audit.log_entries(), in which the hash of its leaf follows each entry. */
export function splitEntries(hashed: Buffer): HashedEntries {
  const count = hashed.length / (ENTRY_BYTES + HASH_BYTES);
  const [entries, hashes] = [Buffer.allocUnsafe(count * ENTRY_BYTES), Buffer.allocUnsafe(count * HASH_BYTES)];
  for (let i = 0; i < count; i += 1) {
    const offset = i * (ENTRY_BYTES + HASH_BYTES);
    hashed.copy(entries, i * ENTRY_BYTES, offset, offset + ENTRY_BYTES);
    hashed.copy(hashes, i * HASH_BYTES, offset + ENTRY_BYTES, offset + ENTRY_BYTES + HASH_BYTES);
  }
  return { entries, hashes };
}

/** Returns the line of a checkpoint with the ids up to which all rows are sealed. */
export function formatFloors(audit: number, security: number): string {
  return `floors ${audit} ${security}\n`;
}
