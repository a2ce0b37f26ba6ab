import { isDeepStrictEqual } from 'node:util';
import { type CheckedRow, IMPORTED_COLUMNS, type JobRecord, toRecord } from './import-row';
import type { FieldError } from '../../platform/errors/app-error';
import { type ImportErrorDto, type ImportReportDto } from './import-report.dto';

/** Rows per statement. More rows are not faster and hold locks longer. */
const MAX_ROWS = 500;

/** Size of the rows as JSON after which a statement is sent. */
const MAX_BYTES = 2_097_152;

/**
 * Rows for one statement, each job once, because ON CONFLICT cannot update a row twice. A later row of the same job
 * replaces the earlier one, as a statement of its own would.
 *
 * The rows are stored as text. When most objects from one place in the code survive a collection, V8 allocates the next
 * ones in the old generation, where they stay until a full collection: memory would grow with the file.
 */
export class ImportBatch {
  /** Later rows of a job in the batch, equal to the earlier row or different from it. */
  readonly repeated = { unchanged: 0, updated: 0 };
  private readonly rows = new Map<string, string>();
  private bytes = 0;

  add(row: CheckedRow): void {
    const earlier = this.rows.get(row.sourceKey);
    if (earlier === undefined) return this.put(row.sourceKey, JSON.stringify(toRecord(row)));
    const before = parseRecord(earlier);
    const text = JSON.stringify({ ...toRecord(row), ...pickKeptColumns(before) });
    const isRepeated = isDeepStrictEqual(before, parseRecord(text));
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
   * Removes the rows and returns their number and a JSON array, in the order in which their jobs first appeared. A
   * buffer is outside of V8's heap, where a large string that survives one collection stays until a full one.
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

function parseRecord(text: string): JobRecord {
  return JSON.parse(text) as JobRecord;
}

/** Columns of the user, which an existing job keeps. */
const KEPT_COLUMNS = ['status', 'is_favorite'];

function pickKeptColumns(record: JobRecord): JobRecord {
  return Object.fromEntries(KEPT_COLUMNS.map((column) => [column, record[column]]));
}

/** Limit of reported errors, because the response would be longer than most files. */
const MAX_ERRORS = 1_000;

/** The counts and errors of an import. */
export class ImportReport implements ImportReportDto {
  created = 0;
  updated = 0;
  unchanged = 0;
  failed = 0;
  readonly errors: ImportErrorDto[] = [];
  errorsOmitted = 0;

  /** Rows with a result. */
  get total(): number {
    return this.created + this.updated + this.unchanged + this.failed;
  }

  fail(row: number, errors: readonly FieldError[]): void {
    this.failed += 1;
    for (const error of errors) {
      if (this.errors.length < MAX_ERRORS) this.errors.push({ row, ...error });
      else this.errorsOmitted += 1;
    }
  }

  toJSON(): ImportReportDto {
    const { total, created, updated, unchanged, failed, errors, errorsOmitted } = this;
    return { total, created, updated, unchanged, failed, errors, errorsOmitted };
  }
}

/** A row that a statement created or changed. */
export interface StoredRow {
  readonly created: boolean;
}

/**
 * Serializes the batches of one tenant, so that two files with the same jobs in different orders cannot deadlock. It
 * only tries the lock, because waiting would occupy a connection.
 */
export const TRY_LOCK_IMPORTS = `
  SELECT pg_try_advisory_xact_lock(hashtextextended('jobs.import', (SELECT auth.uid()))) AS "isLocked"`;

const COLUMNS = [...IMPORTED_COLUMNS.values()];

/** Columns that a row changes in a stored job. */
const CHANGED = COLUMNS.filter((column) => !['source_key', ...KEPT_COLUMNS].includes(column));

/**
 * Returns the value of a column that counts as a change. The number of applicants grows with nearly every
 * synchronisation, and each change is a new version with an audit row. So a fetched number counts when it reaches
 * another of the ranges that Upwork shows. Every number of a file counts.
 */
function compareBy(column: string): string {
  if (!column.endsWith('.applicants')) return column;
  return `CASE WHEN $2 THEN width_bucket(${column}, '{5,10,15,20,50}'::integer[]) ELSE ${column} END`;
}

/**
 * RETURNING omits equal rows. xmax is 0 in a created row and the transaction's id in a changed one. Rows are inserted
 * in order, so that ids follow the file.
 */
const STORE_JOBS = `
  INSERT INTO jobs (${COLUMNS.join(', ')}, fetched_at)
  SELECT ${COLUMNS.join(', ')}, CASE WHEN $2 THEN now() END FROM json_populate_recordset(NULL::jobs, $1)
  ON CONFLICT (user_id, source_key) DO UPDATE
    SET ${CHANGED.map((column) => `${column} = EXCLUDED.${column}`).join(', ')}
  WHERE (${CHANGED.map((column) => compareBy(`jobs.${column}`)).join(', ')})
    IS DISTINCT FROM (${CHANGED.map((column) => compareBy(`EXCLUDED.${column}`)).join(', ')})
  RETURNING (xmax = 0) AS created`;

/**
 * Inserts new jobs and updates existing ones; each job may appear once. New jobs fetched from Upwork get the time.
 * @param json an array of JobRecord; PostgreSQL accepts the bytes as the binary form of json, which is its text
 */
export function storeJobs(json: Buffer, isFetched: boolean): [sql: string, values: unknown[]] {
  return [STORE_JOBS, [json, isFetched]];
}
