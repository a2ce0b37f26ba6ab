import { ENTRY_BYTES, readId } from './tree-entries';

/** The limits of bigint: an inserted row may have any id. */
const SMALLEST_ID = '-9223372036854775808';
const LARGEST_ID = '9223372036854775807';

/** The sealed entries of one log. */
export class SealedRows {
  private entries: Buffer[] = [];

  add(entries: Buffer, offset: number): void {
    this.entries.push(entries.subarray(offset, offset + ENTRY_BYTES));
  }

  /** Orders the entries by id. */
  sort(): this {
    this.entries.sort((left, right) => readId(left, 0) - readId(right, 0));
    return this;
  }

  /** Returns the ids that occur more than once. */
  repeated(): number[] {
    const ids = this.entries.map((entry) => readId(entry, 0));
    return ids.filter((id, i) => i > 0 && ids[i - 1] === id);
  }

  /** Returns whether there is an entry with this id. */
  has(id: number): boolean {
    return this.entries.some((entry) => readId(entry, 0) === id);
  }

  /** Splits all ids into ranges with at most `count` of the entries. */
  split(count: number): Chunk[] {
    const starts = Array.from({ length: Math.max(1, Math.ceil(this.entries.length / count)) }, (_, i) => i * count);
    return starts.map((start, i) => {
      const entries = this.entries.slice(start, start + count);
      const [isFirst, isLast] = [i === 0, i === starts.length - 1];
      const before = isFirst ? SMALLEST_ID : readId(this.entries[start - 1]!, 0);
      return { after: before, until: isLast ? LARGEST_ID : readId(entries.at(-1)!, 0), entries };
    });
  }
}

/** The entries of a range of ids. */
export interface Chunk {
  readonly after: number | string;
  readonly until: number | string;
  readonly entries: readonly Buffer[];
}
