import { ENTRY_BYTES, readId, readTime } from './tree-entries';

/** The limits of bigint: an inserted row may have any id. */
const SMALLEST_ID = '-9223372036854775808';
const LARGEST_ID = '9223372036854775807';

/** Number of ids whose entries are sorted together. */
const BUCKET_IDS = 2 ** 14;

/** Times from `from` to before `until`, in microseconds since 2000-01-01 UTC. */
export interface TimeRange {
  readonly from: number;
  readonly until: number;
}

/** Entries of rows without other objects: 10 million of them have 490 MB. */
export class EntryList {
  private bytes = Buffer.allocUnsafeSlow(4 * ENTRY_BYTES);
  private used = 0;

  add(entries: Buffer, offset: number): void {
    if (this.used === this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.bytes.length);
      this.bytes.copy(larger);
      this.bytes = larger;
    }
    entries.copy(this.bytes, this.used, offset, offset + ENTRY_BYTES);
    this.used += ENTRY_BYTES;
  }

  /** The entries, one after the other. */
  get entries(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  /** Returns the entries of a range of times, by id. The ids are at most 2²⁰ above `first`. */
  sort(first: number, { from, until }: TimeRange): Buffer {
    const { entries } = this;
    const keys = new Float64Array(entries.length / ENTRY_BYTES);
    let count = 0;
    // A number of 53 bits has the id and the position: such keys sort ten times as fast as by a function.
    for (let i = 0; i < keys.length; i += 1) {
      const time = readTime(entries, i * ENTRY_BYTES);
      if (time >= from && time < until) keys[count++] = (readId(entries, i * ENTRY_BYTES) - first) * 2 ** 32 + i;
    }
    const sorted = Buffer.allocUnsafe(count * ENTRY_BYTES);
    keys
      .subarray(0, count)
      .sort()
      .forEach((key, i) => {
        const offset = (key % 2 ** 32) * ENTRY_BYTES;
        entries.copy(sorted, i * ENTRY_BYTES, offset, offset + ENTRY_BYTES);
      });
    return sorted;
  }
}

/** The sealed entries of one log. */
export class SealedRows {
  private readonly buckets = new Map<number, EntryList>();

  add(entries: Buffer, offset: number): void {
    const number = Math.floor(readId(entries, offset) / BUCKET_IDS);
    let bucket = this.buckets.get(number);
    if (!bucket) this.buckets.set(number, (bucket = new EntryList()));
    bucket.add(entries, offset);
  }

  /** Returns whether there is an entry with this id. */
  has(id: number): boolean {
    const entries = this.buckets.get(Math.floor(id / BUCKET_IDS))?.entries ?? Buffer.alloc(0);
    for (let offset = 0; offset < entries.length; offset += ENTRY_BYTES)
      if (readId(entries, offset) === id) return true;
    return false;
  }

  /** Splits all ids into ranges. Each but a few has about `count` of the entries of a range of times. */
  *split(count: number, range: TimeRange): Generator<Chunk, void, undefined> {
    const numbers = [...this.buckets.keys()].sort((left, right) => left - right);
    let after: number | string = SMALLEST_ID;
    let [parts, bytes]: [Buffer[], number] = [[], 0];
    for (const number of numbers) {
      const part = this.buckets.get(number)!.sort(number * BUCKET_IDS, range);
      if (bytes > 0 && bytes + part.length > count * ENTRY_BYTES) {
        const until = number * BUCKET_IDS - 1;
        yield { after, until, entries: Buffer.concat(parts) };
        [after, parts, bytes] = [until, [], 0];
      }
      parts.push(part);
      bytes += part.length;
    }
    yield { after, until: LARGEST_ID, entries: Buffer.concat(parts) };
  }
}

/** The entries of a range of ids, above `after` and up to `until`. */
export interface Chunk {
  readonly after: number | string;
  readonly until: number | string;
  readonly entries: Buffer;
}
