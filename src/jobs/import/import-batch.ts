import { isDeepStrictEqual } from 'node:util';
import type { CheckedRow } from './checked-row';

/** Rows a statement stores; more make it no faster, and hold locks longer. */
const MAX_ROWS = 500;

/** Size of a statement's rows as JSON, past which it is sent. */
const MAX_BYTES = 4_194_304;

/**
 * Rows on their way into one statement, each job once: ON CONFLICT cannot touch a row twice. A later row of the same job
 * takes the place of the earlier, as if it had come in a statement of its own.
 */
export class ImportBatch {
  /** Later rows that said nothing new, and those that changed what an earlier one said. */
  readonly repeated = { unchanged: 0, updated: 0 };
  private readonly rows = new Map<string, CheckedRow>();
  private bytes = 0;

  add(row: CheckedRow): void {
    const earlier = this.rows.get(row.sourceKey);
    if (earlier && isDeepStrictEqual(earlier.content, row.content)) {
      this.repeated.unchanged += 1;
      return;
    }
    if (earlier) this.repeated.updated += 1;
    this.rows.set(row.sourceKey, earlier ? { ...earlier, content: row.content } : row);
    this.bytes += sizeOf(row);
  }

  get isEmpty(): boolean {
    return this.rows.size === 0;
  }

  get isFull(): boolean {
    return this.rows.size >= MAX_ROWS || this.bytes >= MAX_BYTES;
  }

  /** The rows in the order in which their jobs first came. */
  get all(): CheckedRow[] {
    return [...this.rows.values()];
  }
}

/** Near enough: only texts without a small limit count. */
function sizeOf({ content }: CheckedRow): number {
  const { description, clientInfo } = content;
  return 1_024 + 2 * (description?.length ?? 0) + (clientInfo ? JSON.stringify(clientInfo).length : 0);
}
