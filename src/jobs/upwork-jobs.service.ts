import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { joinUnitOfWork } from '../platform/database/current-unit-of-work';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { EXPIRED_TITLE } from './job-content';
import { Job } from './job.entity';
import type { ImportReportDto } from './import/import-report.dto';
import { JobsImportService } from './import/jobs-import.service';

/** Updates when the jobs $1 were last found on Upwork, at most once an hour to save writes. */
const SEEN = `
  UPDATE jobs SET fetched_at = now()
  WHERE source_key IN (SELECT 'upwork:' || seen.id FROM unnest($1::text[]) AS seen (id))
    AND fetched_at < now() - interval '1 hour'`;

/** Restores those of the jobs $1 whose content had expired. */
const REVIVE = `
  UPDATE jobs SET fetched_at = now(), expired_at = NULL, status = 'active'
  WHERE source_key IN (SELECT 'upwork:' || seen.id FROM unnest($1::text[]) AS seen (id))
    AND expired_at IS NOT NULL AND status = 'deleted'`;

/**
 * Restores the job $1 if its content had expired. A job that the user archived or deleted before keeps its status: only
 * its title shows that it expired.
 */
const REVIVE_ONE = `
  UPDATE jobs SET fetched_at = now(), expired_at = NULL,
    status = CASE WHEN expired_at IS NOT NULL AND status = 'deleted' THEN 'active' ELSE status END
  WHERE id = $1 AND (expired_at IS NOT NULL OR title = '${EXPIRED_TITLE}')`;

/** Merges jobs that are stored under their number $1 with those of the ids $2. */
const MERGE = `SELECT app.merge_upwork_jobs($1, $2)`;

/** Stores the numbers $1 of the jobs with the ids $2. */
const STORE_NUMBERS = `
  UPDATE jobs SET upwork_job_number = known.number
  FROM unnest($1::text[], $2::text[]) AS known (number, id)
  WHERE source_key = 'upwork:' || known.id AND upwork_job_number IS DISTINCT FROM known.number`;

/** Stores the job of the number $1 with its title $2, unless it exists or another transaction stores it. */
const STORE_MISSING = `
  INSERT INTO jobs (source_key, upwork_job_id, upwork_job_number, title, fetched_at)
  VALUES ('upwork:~02' || $1, '~02' || $1, $1, $2, now())
  ON CONFLICT (user_id, source_key) DO NOTHING`;

/** A job with the field names of POST /v1/jobs. */
type JobRow = Readonly<Record<string, unknown>>;

/** A job of Upwork, with its number, which proposals name. */
export interface UpworkJobRow extends JobRow {
  readonly upworkJobNumber: string;
}

/** Stores jobs that were fetched from Upwork. */
@Injectable()
export class UpworkJobsService {
  constructor(
    private readonly database: Database,
    private readonly imports: JobsImportService,
  ) {}

  /**
   * Stores jobs by the rules of the import: favourite and status stay, except that expired jobs become active again.
   * One transaction, to which `also` may add. One audit row for each created or changed job, none for an unchanged one.
   * A job that was stored under its number is merged with the job of the id first.
   * @param jobs objects with the fields of POST /v1/jobs, each with its `upworkJobId` and its number
   * @param also gets the report of the jobs that are not filled: only these can be new matches
   * @returns the report of all jobs
   */
  store(
    jobs: readonly UpworkJobRow[],
    also: (unit: UnitOfWork, report: ImportReportDto) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<ImportReportDto> {
    const numbers = jobs.map(({ upworkJobNumber }) => upworkJobNumber);
    const ids = jobs.map(({ upworkJobId }) => upworkJobId);
    const rows = jobs.map(({ upworkJobNumber: _, ...row }): JobRow => row);
    const [filled, open] = [rows.filter(isFilled), rows.filter((row) => !isFilled(row))];
    return this.database.transaction((unit) =>
      joinUnitOfWork(unit, async () => {
        await unit.query(MERGE, [numbers, ids]);
        const report = await this.importRows(open);
        const filledReport = await this.importRows(filled);
        await unit.query(STORE_NUMBERS, [numbers, ids]);
        await unit.query(REVIVE, [ids]);
        await unit.query(SEEN, [ids]);
        await also(unit, report);
        return addReports(report, filledReport);
      }),
    );
  }

  /** Stores a job of which only the title is known. A job that exists does not change. One audit row for a new one. */
  async storeMissing(upworkJobNumber: string, title: string): Promise<void> {
    await this.database.query(STORE_MISSING, [upworkJobNumber, title]);
  }

  /**
   * Stores what the full posting of a job says. A job whose content had expired is restored, and expires again. One
   * transaction; an audit row when the job changes, and one when it is restored.
   * @throws AppError `job.not_found`
   */
  async storePosting(id: number, changes: Partial<Job>): Promise<void> {
    await this.database.transaction((unit) =>
      joinUnitOfWork(unit, async () => {
        await unit.query(REVIVE_ONE, [id]);
        await this.database.change(Job, id, 'job.not_found', () => changes);
      }),
    );
  }

  private importRows(rows: readonly JobRow[]): Promise<ImportReportDto> {
    const body = Readable.from([Buffer.from(JSON.stringify(rows))], { objectMode: true });
    return this.imports.run(body, 'application/json', { isFetched: true });
  }
}

function isFilled(row: JobRow): boolean {
  return row['isFilled'] === true;
}

function addReports(one: ImportReportDto, other: ImportReportDto): ImportReportDto {
  return {
    total: one.total + other.total,
    created: one.created + other.created,
    updated: one.updated + other.updated,
    unchanged: one.unchanged + other.unchanged,
    failed: one.failed + other.failed,
    errors: [...one.errors, ...other.errors],
    errorsOmitted: one.errorsOmitted + other.errorsOmitted,
  };
}
