import { Injectable } from '@nestjs/common';
import { CursorCodec, type CursorKey } from './cursor-codec';
import type { PageQueryDto } from './page-query.dto';
import type { Page } from './page';

/** A page about to be read: what to ask the database for, and how to answer. */
export interface KeysetPage {
  /** Keys of the last row of the page before; undefined on the first page. */
  readonly after: readonly CursorKey[] | undefined;
  /** Rows to ask for: one more than the page holds, which tells whether there is a next one. */
  readonly take: number;
  /**
   * Makes the page of the rows read.
   * @param keysOf the sort's values of a row, exact and ending in a unique one
   */
  of<Row, Item>(rows: readonly Row[], keysOf: (row: Row) => CursorKey[], toItem: (row: Row) => Item): Page<Item>;
}

/**
 * Opens pages of lists that are sorted by a key and resumed behind a row, so that inserts neither repeat nor hide one.
 * @example
 * const page = this.pages.open(query);
 * const rows = await this.database.list<JobRow>(...listJobs(query, page.after, page.take));
 * return page.of(rows, (row) => [row.sort_key, row.id], JobDto.from);
 */
@Injectable()
export class KeysetPages {
  constructor(private readonly cursors: CursorCodec) {}

  /**
   * Checks the query's cursor against everything else in the query (filters and sort; not `limit`).
   * @throws AppError `cursor.invalid`
   */
  open(query: PageQueryDto): KeysetPage {
    const { limit, cursor, ...scope } = query;
    return {
      after: cursor === undefined ? undefined : this.cursors.decode(cursor, scope),
      take: limit + 1,
      of: (rows, keysOf, toItem) => {
        const shown = rows.slice(0, limit);
        const last = shown.at(-1);
        const nextCursor = rows.length > limit && last !== undefined ? this.cursors.encode(keysOf(last), scope) : null;
        return { items: shown.map(toItem), nextCursor };
      },
    };
  }
}
