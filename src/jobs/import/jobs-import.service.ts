import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { markHandled } from '../../platform/concurrency/mark-handled';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import type { ImportReportDto } from './import-report.dto';
import { BrokenFileError, checkRow, type ImportRow, toRowErrors } from './import-row';
import { readCsv } from './csv-rows';
import { ImportBatch, ImportReport, type StoredRow, storeJobs, TRY_LOCK_IMPORTS } from './import-batch';
import { readJsonArray, readNdjson } from './json-rows';

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

/** Options of an import. */
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
