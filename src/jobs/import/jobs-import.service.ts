import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { markHandled } from '../../platform/concurrency/fair-semaphore';
import { Database } from '../../platform/database/database';
import { AppError, type FieldError } from '../../platform/errors/app-error';
import type { ImportReportDto, ImportErrorDto } from './import-report.dto';
import { EXPIRED_TITLE } from '../job-content';
import {
  BrokenFileError,
  checkRow,
  type ImportRow,
  toRowErrors,
  type CheckedRow,
  IMPORTED_COLUMNS,
  type RowValues,
  toRecordJson,
} from './import-row';
import { readCsv } from './csv-rows';
import { readJsonArray, readNdjson } from './json-rows';
import { isDeepStrictEqual } from 'node:util';

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
    const text = toRecordJson(row);
    const earlier = this.rows.get(row.sourceKey);
    if (earlier === undefined) return this.put(row.sourceKey, text);
    const before = parseRecord(earlier);
    const record = { ...parseRecord(text), ...pickKeptColumns(before) };
    const isRepeated = isDeepStrictEqual(before, record);
    this.repeated[isRepeated ? 'unchanged' : 'updated'] += 1;
    if (!isRepeated) this.put(row.sourceKey, JSON.stringify(record));
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

function parseRecord(text: string): RowValues {
  return JSON.parse(text) as RowValues;
}

/** Columns of the user, which an existing job keeps. */
const KEPT_COLUMNS = ['status', 'is_favorite'];

function pickKeptColumns(record: RowValues): RowValues {
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
const TRY_LOCK_IMPORTS = `
  SELECT pg_try_advisory_xact_lock(hashtextextended('jobs.import', (SELECT tenant FROM auth.context))) AS "isLocked"`;

const COLUMNS = [...IMPORTED_COLUMNS.values()];

/** Columns that a row changes in a stored job. */
const CHANGED = COLUMNS.filter((column) => !['source_key', ...KEPT_COLUMNS].includes(column));

/**
 * Returns the value of a column that counts as a change, which is a new version with an audit row. The number of
 * applicants grows nearly always: a fetched one counts in another of Upwork's ranges only, one of a file always.
 */
function compareBy(column: string): string {
  if (!column.endsWith('.applicants')) return column;
  return `CASE WHEN $2 THEN width_bucket(${column}, '{5,10,15,20,50}'::integer[]) ELSE ${column} END`;
}

/**
 * An expired job that is fetched again can expire again. RETURNING omits equal rows; xmax is 0 in created ones only.
 * Rows are inserted in order, so that ids follow the file.
 */
const STORE_JOBS = `
  INSERT INTO jobs (${COLUMNS.join(', ')}, fetched_at)
  SELECT ${COLUMNS.join(', ')}, CASE WHEN $2 THEN now() END FROM json_populate_recordset(NULL::jobs, $1)
  ON CONFLICT (user_id, source_key) DO UPDATE
    SET ${CHANGED.map((column) => `${column} = EXCLUDED.${column}`).join(', ')},
      fetched_at = CASE WHEN $2 AND jobs.title = '${EXPIRED_TITLE}' THEN now() ELSE jobs.fetched_at END
  WHERE (${CHANGED.map((column) => compareBy(`jobs.${column}`)).join(', ')})
    IS DISTINCT FROM (${CHANGED.map((column) => compareBy(`EXCLUDED.${column}`)).join(', ')})
  RETURNING (xmax = 0) AS created`;

/**
 * Inserts new jobs and updates existing ones; each job may appear once. New jobs fetched from Upwork get the time.
 * @param json an array of `toRecordJson`; PostgreSQL accepts the bytes as the binary form of json, which is its text
 */
function storeJobs(json: Buffer, isFetched: boolean): [sql: string, values: unknown[]] {
  return [STORE_JOBS, [json, isFetched]];
}

/** A parser of rows. It reports errors per row, and throws BrokenFileError where it cannot continue. */
type RowReader = (body: AsyncIterable<Buffer>) => AsyncGenerator<ImportRow>;

const READERS: Readonly<Record<string, RowReader>> = {
  'application/json': readJsonArray,
  'application/x-ndjson': readNdjson,
  'text/csv': readCsv,
};

/** Time for which rows are checked before other requests run. */
const EVENT_LOOP_SLICE_MS = 10;

/** Failures after which the rest is not read: such a file is not what its sender expects. */
const MAX_FAILED = 10_000;

/** Time for which a batch waits while another process stores one of the same tenant. */
const MAX_LOCK_WAIT_MS = 2_000;
const LOCK_RETRY_MS = 50;

interface ImportOptions {
  /** True for rows that were fetched from Upwork. */
  readonly isFetched?: boolean;
  /** Maximum number of rows. The default limits only the size of the file. */
  readonly maxRows?: number;
}

/** Imports jobs from files. */
@Injectable()
export class JobsImportService {
  constructor(private readonly database: Database) {}

  /**
   * Stores the jobs of a file in batches while it is read, so that memory does not grow. Valid rows are kept when
   * others fail, and so are the rows before a break in the file. A row with a known upworkJobId updates that job,
   * except its status and favourite. A row without one is a known job when all columns are equal.
   *
   * Each batch is one transaction; within an open one (a request with an Idempotency-Key) all batches join it. The
   * triggers add one audit row for each created or changed job.
   * @throws AppError `import.malformed` when no row can be read, `import.too_many_rows`,
   *   `request.body_too_large`, `request.media_type_unsupported`; `rate.too_many_at_once` while another process imports
   *   for the same tenant
   */
  async run(
    body: AsyncIterable<Buffer>,
    contentType: string,
    { isFetched = false, maxRows = Infinity }: ImportOptions = {},
  ): Promise<ImportReportDto> {
    const read = READERS[contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''];
    if (!read)
      throw new AppError('request.media_type_unsupported', { detail: `Send ${Object.keys(READERS).join(', ')}.` });
    const report = new ImportReport();
    let batch = new ImportBatch();
    let sliceStartedAt = performance.now();
    let storing: Promise<void> | undefined;
    try {
      for await (const row of read(body)) {
        // Thousands of rows arrive without a pause, and other requests wait.
        if (performance.now() - sliceStartedAt > EVENT_LOOP_SLICE_MS) sliceStartedAt = await yieldToEventLoop();
        if (row.row > maxRows) throw createTooManyRowsError(maxRows);
        await this.take(row, batch, report);
        if (report.failed > MAX_FAILED)
          throw new BrokenFileError(row.row + 1, `More than ${MAX_FAILED} rows failed. The rest was not read.`);
        if (!batch.isFull) continue;
        // Reads one batch while PostgreSQL stores the one before.
        await storing;
        storing = markHandled(this.store(batch, report, isFetched));
        batch = new ImportBatch();
      }
    } catch (error) {
      await storing;
      if (!(error instanceof BrokenFileError)) throw error;
      if (report.total === 0 && batch.isEmpty) {
        throw new AppError('import.malformed', { detail: error.message, errors: error.errors });
      }
      report.fail(error.row, error.errors);
    }
    await storing;
    await this.store(batch, report, isFetched);
    return report.toJSON();
  }

  private async take({ row, value, errors }: ImportRow, batch: ImportBatch, report: ImportReport): Promise<void> {
    if (errors) return report.fail(row, errors);
    try {
      batch.add(await checkRow(value));
    } catch (error) {
      report.fail(row, toRowErrors(error));
    }
  }

  private async store(batch: ImportBatch, report: ImportReport, isFetched: boolean): Promise<void> {
    if (batch.isEmpty) return;
    const { count, json } = batch.take();
    const stored = await this.storeRows(json, isFetched);
    const created = stored.filter((row) => row.created).length;
    report.created += created;
    report.updated += stored.length - created + batch.repeated.updated;
    report.unchanged += count - stored.length + batch.repeated.unchanged;
  }

  private async storeRows(json: Buffer, isFetched: boolean): Promise<StoredRow[]> {
    const endsAt = Date.now() + MAX_LOCK_WAIT_MS;
    for (;;) {
      const stored = await this.database.transaction(async (unit) => {
        const [lock] = await unit.query<{ isLocked: boolean }>(TRY_LOCK_IMPORTS);
        return lock?.isLocked ? unit.query<StoredRow>(...storeJobs(json, isFetched)) : undefined;
      });
      if (stored) return stored;
      if (Date.now() >= endsAt) throw createConcurrentImportError();
      await sleep(LOCK_RETRY_MS);
    }
  }
}

function createTooManyRowsError(maxRows: number): AppError {
  return new AppError('import.too_many_rows', {
    detail:
      `With an Idempotency-Key a file has at most ${maxRows} rows, which are stored in one transaction. Split the ` +
      'file, or send it without the key: rows that are already stored do not change.',
  });
}

function createConcurrentImportError(): AppError {
  return new AppError('rate.too_many_at_once', {
    detail: 'Another import of this account is running. Try again when it has ended; stored rows are kept.',
    headers: { 'retry-after': '5' },
  });
}

/** Yields to the event loop once and returns the time afterwards. */
async function yieldToEventLoop(): Promise<number> {
  await new Promise(setImmediate);
  return performance.now();
}
