import { isDeepStrictEqual } from 'node:util';
import type { CheckedRow } from './checked-row';
import { recordOf, type JobRecord } from './job-record';

/** Rows a statement stores; more make it no faster, and hold locks longer. */
const MAX_ROWS = 500;

/** Size of a statement's rows as JSON, past which it is sent. */
const MAX_BYTES = 2_097_152;

/**
 * Rows on their way into one statement, each job once: ON CONFLICT cannot touch a row twice. A later row of the same job
 * takes the place of the earlier, as if it had come in a statement of its own.
 *
 * They wait as text. When V8 has seen most objects of one origin outlive a collection, it makes the next in the old
 * generation, where they and the values they hold lie dead until a full one: memory would grow with the file.
 */
export class ImportBatch {
  /** Later rows that said nothing new, and those that changed what an earlier one said. */
  readonly repeated = { unchanged: 0, updated: 0 };
  private readonly rows = new Map<string, string>();
  private bytes = 0;

  add(row: CheckedRow): void {
    const earlier = this.rows.get(row.sourceKey);
    if (earlier === undefined) return this.put(row.sourceKey, JSON.stringify(recordOf(row)));
    const before = recordIn(earlier);
    const text = JSON.stringify({ ...recordOf(row), ...keptOf(before) });
    const isRepeated = isDeepStrictEqual(before, recordIn(text));
    this.repeated[isRepeated ? 'unchanged' : 'updated'] += 1;
    if (!isRepeated) this.put(row.sourceKey, text);
  }

  get isEmpty(): boolean {
    return this.rows.size === 0;
  }

  get isFull(): boolean {
    return this.rows.size >= MAX_ROWS || this.bytes >= MAX_BYTES;
  }

  /**
   * Takes the rows out: how many, and as a JSON array in the order in which their jobs first came. Those
   * bytes lie outside of the heap: a string of their size that outlives one collection stays until a full one.
   */
  take(): { readonly count: number; readonly json: Buffer } {
    const taken = { count: this.rows.size, json: Buffer.from(`[${[...this.rows.values()].join()}]`) };
    this.rows.clear();
    this.bytes = 0;
    return taken;
  }

  private put(sourceKey: string, text: string): void {
    this.rows.set(sourceKey, text);
    this.bytes += Buffer.byteLength(text);
  }
}

function recordIn(text: string): JobRecord {
  return JSON.parse(text) as JobRecord;
}

/** What an existing job keeps of its own. */
function keptOf({ status, is_favorite }: JobRecord): JobRecord {
  return { status, is_favorite };
}
