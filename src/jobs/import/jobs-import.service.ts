import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import type { ImportReportDto } from '../dto/import-report.dto';
import { checkRow } from './checked-row';
import { readCsv } from './csv-rows';
import { ImportBatch } from './import-batch';
import { ImportReport } from './import-report';
import { BrokenFileError, rowErrorsOf, type ImportRow } from './import-row';
import { LOCK_IMPORTS, storeJobs, type StoredRow } from './jobs-import.queries';
import { readJsonArray, readNdjson } from './json-rows';

/** Reads a body as rows; what cannot be read is told row by row, or by BrokenFileError where nothing can follow. */
type RowReader = (body: AsyncIterable<Buffer>) => AsyncGenerator<ImportRow>;

const READERS: Readonly<Record<string, RowReader>> = {
  'application/json': readJsonArray,
  'application/x-ndjson': readNdjson,
  'text/csv': readCsv,
};

/** Rows checked before other requests have their turn: a few milliseconds. */
const ROWS_PER_TURN = 100;

/** A file with more failures is not what its sender takes it for; going on would only cost. */
const MAX_FAILED = 10_000;

/** Brings vacancies in by the file. */
@Injectable()
export class JobsImportService {
  constructor(private readonly database: Database) {}

  /**
   * Stores the jobs of a file, batch by batch while it is being read, so that memory stays flat. Good rows are kept when others fail, and what came before a break in the file is kept and counted. The
   * same upworkJobId is the same job, changed where the row differs, except for status and favourite; rows without one
   * are the same job when all their columns are equal.
   *
   * Each batch is a unit of its own; within an open unit (a request with an Idempotency-Key) all batches join that one. The triggers leave one audit row for each job made or changed.
   * @param isFetched the rows come from Upwork itself and not from the user
   * @throws AppError `import.malformed` when nothing of the file can be read, `import.too_many_rows`,
   *   `request.body_too_large`, `request.media_type_unsupported`
   */
  async run(body: AsyncIterable<Buffer>, contentType: string, { isFetched = false } = {}): Promise<ImportReportDto> {
    const read = READERS[contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''];
    if (!read) throw new AppError('request.media_type_unsupported', { detail: `send ${Object.keys(READERS).join(', ')}` });
    const report = new ImportReport();
    let batch = new ImportBatch();
    let storing = Promise.resolve();
    try {
      for await (const row of read(body)) {
        // Rows come by thousands without a pause of their own; others are waiting too.
        if (row.row % ROWS_PER_TURN === 0) await new Promise(setImmediate);
        await this.take(row, batch, report);
        if (report.failed > MAX_FAILED) throw new BrokenFileError(row.row + 1, `more than ${MAX_FAILED} rows failed; the rest was not read`);
        if (!batch.isFull) continue;
        // One batch is read while the one before is stored, on the other core.
        await storing;
        storing = this.store(batch, report, isFetched);
        storing.catch(() => undefined);
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
    const stored = await this.database.unit(async (unit) => {
      const locked = unit.query(LOCK_IMPORTS);
      const result = await unit.query<StoredRow>(...storeJobs(json, isFetched));
      await locked;
      return result;
    });
    const created = stored.filter((row) => row.created).length;
    report.created += created;
    report.updated += stored.length - created + batch.repeated.updated;
    report.unchanged += count - stored.length + batch.repeated.unchanged;
  }
}
