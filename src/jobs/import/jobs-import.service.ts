import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { markHandled } from '../../platform/concurrency/mark-handled';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import type { ImportReportDto } from './import-report.dto';
import { BrokenFileError, checkRow, type ImportRow, rowErrorsOf } from './import-row';
import { readCsv } from './csv-rows';
import { ImportBatch, ImportReport, type StoredRow, storeJobs, TRY_LOCK_IMPORTS } from './import-batch';
import { readJsonArray, readNdjson } from './json-rows';

/** Reads a body as rows; what cannot be read is told row by row, or by BrokenFileError where nothing can follow. */
type RowReader = (body: AsyncIterable<Buffer>) => AsyncGenerator<ImportRow>;

const READERS: Readonly<Record<string, RowReader>> = {
  'application/json': readJsonArray,
  'application/x-ndjson': readNdjson,
  'text/csv': readCsv,
};

/** How long rows are checked before other requests have their turn. */
const EVENT_LOOP_SLICE_MS = 10;

/** A file with more failures is not what its sender takes it for; going on would only cost. */
const MAX_FAILED = 10_000;

/** How long a batch tries to be stored while another process stores one of the same tenant. */
const MAX_LOCK_WAIT_MS = 2_000;
const LOCK_RETRY_MS = 50;

/** How a file is imported. */
interface ImportOptions {
  /** The rows come from Upwork itself and not from the user. */
  readonly isFetched?: boolean;
  /** Most rows the file may have; by default its size alone is limited. */
  readonly maxRows?: number;
}

/** Brings vacancies in by the file. */
@Injectable()
export class JobsImportService {
  constructor(private readonly database: Database) {}

  /**
   * Stores the jobs of a file, batch by batch while it is being read, so that memory stays flat. Good rows are kept
   * when others fail, and what came before a break in the file is kept and counted. The same upworkJobId is the same
   * job, changed where the row differs, except for status and favourite; rows without one are the same job when all
   * their columns are equal.
   *
   * Each batch is a unit of its own; within an open unit (a request with an Idempotency-Key) all batches join that one.
   * The triggers leave one audit row for each job made or changed.
   * @throws AppError `import.malformed` when nothing of the file can be read, `import.too_many_rows`,
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
    let turnBegan = performance.now();
    let storing: Promise<void> | undefined;
    try {
      for await (const row of read(body)) {
        // Rows come by thousands without a pause of their own; others are waiting too.
        if (performance.now() - turnBegan > EVENT_LOOP_SLICE_MS) turnBegan = await yieldToEventLoop();
        if (row.row > maxRows) throw tooManyRows(maxRows);
        await this.take(row, batch, report);
        if (report.failed > MAX_FAILED)
          throw new BrokenFileError(row.row + 1, `more than ${MAX_FAILED} rows failed; the rest was not read`);
        if (!batch.isFull) continue;
        // One batch is read while the one before is stored, on the other core.
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
      report.fail(row, rowErrorsOf(error));
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
      if (Date.now() >= endsAt) throw importsElsewhere();
      await sleep(LOCK_RETRY_MS);
    }
  }
}

function tooManyRows(maxRows: number): AppError {
  return new AppError('import.too_many_rows', {
    detail:
      `With an Idempotency-Key a file holds at most ${maxRows} rows, which are stored in one transaction. Split the ` +
      'file, or send it without the key: a row that is stored already is left as it is.',
  });
}

function importsElsewhere(): AppError {
  return new AppError('rate.too_many_at_once', {
    detail: 'Another import of this account is running. Try again when it has ended; rows stored so far are kept.',
    headers: { 'retry-after': '5' },
  });
}

/** Lets the event loop go round once; when it came back. */
async function yieldToEventLoop(): Promise<number> {
  await new Promise(setImmediate);
  return performance.now();
}
