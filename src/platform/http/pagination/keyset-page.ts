import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config';
import { currentContext } from '../../context/request-context';
import { AppError } from '../../errors/app-error';
import { type Page, type PageQueryDto } from './page.dto';

/** A value of a keyset. It is exact: timestamps are text of PostgreSQL, since a Date loses the microseconds. */
export type CursorKey = string | number | boolean | null;

/** Length of the truncated signature. 128 bits cannot be guessed and keep the cursor short. */
const SIGNATURE_BYTES = 16;

/**
 * Encodes and decodes cursors. They are opaque, signed, and bound to the user, the route, the sort and the filters. An
 * altered or foreign cursor is rejected instead of returning a wrong page.
 */
@Injectable()
export class CursorCodec {
  private readonly key: Buffer;

  constructor(config: Config) {
    this.key = config.secrets.derive('cursor');
  }

  /**
   * Returns the cursor of the rows after the row with these `keys`.
   * @param scope the sort and the filters of the list, anything JSON can hold
   */
  encode(keys: readonly CursorKey[], scope: unknown): string {
    const payload = Buffer.from(JSON.stringify(keys));
    return Buffer.concat([this.sign(payload, scope), payload]).toString('base64url');
  }

  /**
   * Returns the keys in a cursor.
   * @throws AppError `cursor.invalid` when it was not made by `encode` for this user, route and scope
   */
  decode(cursor: string, scope: unknown): CursorKey[] {
    const bytes = Buffer.from(cursor, 'base64url');
    const payload = bytes.subarray(SIGNATURE_BYTES);
    const genuine =
      // Node skips characters outside the alphabet; only the canonical text is accepted.
      bytes.toString('base64url') === cursor &&
      bytes.length > SIGNATURE_BYTES &&
      timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), this.sign(payload, scope));
    if (!genuine) {
      const message = 'This cursor belongs to another list, filter or sort. Start again without it.';
      throw new AppError('cursor.invalid', {
        detail: message,
        errors: [{ pointer: '/cursor', code: 'cursor_invalid', message }],
      });
    }
    return JSON.parse(payload.toString()) as CursorKey[];
  }

  private sign(payload: Buffer, scope: unknown): Buffer {
    const context = currentContext();
    const bound = JSON.stringify([context?.principal?.userId ?? null, context?.operation ?? null, canonicalize(scope)]);
    const fingerprint = createHash('sha256').update(bound).digest();
    return createHmac('sha256', this.key).update(fingerprint).update(payload).digest().subarray(0, SIGNATURE_BYTES);
  }
}

/** Equal filters in another order are the same filters. */
function canonicalize(scope: unknown): unknown {
  if (scope === null || typeof scope !== 'object' || scope instanceof Date) return scope;
  if (Array.isArray(scope)) return scope.map(canonicalize);
  return Object.entries(scope)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, canonicalize(value)]);
}

/** A page to be read: the arguments of the query, and the conversion of its rows. */
export interface KeysetPage {
  /** Keys of the last row of the previous page; undefined on the first page. */
  readonly after: readonly CursorKey[] | undefined;
  /** Number of rows to query: one more than the page, to detect a next page. */
  readonly take: number;
  /**
   * Returns the page of the queried rows.
   * @param keysOf returns the sort values of a row, exact and ending in a unique one
   */
  of<Row, Item>(rows: readonly Row[], keysOf: (row: Row) => CursorKey[], toItem: (row: Row) => Item): Page<Item>;
}

/**
 * Opens pages of lists by keyset pagination: a page begins after a row, so that inserts neither repeat nor hide rows.
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
        const pageRows = rows.slice(0, limit);
        const last = pageRows.at(-1);
        const nextCursor = rows.length > limit && last !== undefined ? this.cursors.encode(keysOf(last), scope) : null;
        return { items: pageRows.map(toItem), nextCursor };
      },
    };
  }
}
