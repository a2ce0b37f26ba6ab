import { isDeepStrictEqual } from 'node:util';
import { type CheckedRow, type JobRecord, recordOf } from './import-row';
import type { FieldError } from '../../platform/errors/app-error';
import { type ImportErrorDto, type ImportReportDto } from './import-report.dto';

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

/** More would be an answer longer than most files. */
const MAX_ERRORS = 1_000;

/** Counts what becomes of rows. */
export class ImportReport implements ImportReportDto {
  created = 0;
  updated = 0;
  unchanged = 0;
  failed = 0;
  readonly errors: ImportErrorDto[] = [];
  errorsOmitted = 0;

  /** Rows whose fate is known. */
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

/** What became of the rows of one statement that were not left as they are. */
export interface StoredRow {
  readonly created: boolean;
}

/**
 * Batches of one tenant are stored one after the other, so that two files naming the same jobs in different orders
 * cannot deadlock. A batch that finds another at work does not wait for it here, with a connection in hand.
 */
export const TRY_LOCK_IMPORTS = `
  SELECT pg_try_advisory_xact_lock(hashtextextended('jobs.import', (SELECT auth.uid()))) AS "isLocked"`;

const RECORD = `r (source_key text, upwork_job_id text, title text, description text, budget_min numeric, budget_max numeric,
  hourly_rate_min numeric, hourly_rate_max numeric, currency text, skills text[], category text, subcategory text,
  country text, client_info jsonb, job_type text, experience_level text, duration text, workload text, status text,
  is_favorite boolean)`;

const CONTENT = [
  'title',
  'description',
  'budget_min',
  'budget_max',
  'hourly_rate_min',
  'hourly_rate_max',
  'currency',
  'skills',
  'category',
  'subcategory',
  'country',
  'client_info',
  'job_type',
  'experience_level',
  'duration',
  'workload',
];

const INSERTED = ['source_key', 'upwork_job_id', ...CONTENT, 'status', 'is_favorite'].join(', ');

/**
 * xmax is 0 in a row this statement made, and its transaction's id in one it changed; a row that says the same comes not
 * at all. The order of the rows is kept, so that ids follow the file.
 */
const STORE_JOBS = `
  INSERT INTO jobs (${INSERTED}, fetched_at)
  SELECT ${INSERTED}, CASE WHEN $2 THEN now() END FROM json_to_recordset($1) AS ${RECORD}
  ON CONFLICT (user_id, source_key) DO UPDATE SET ${CONTENT.map((column) => `${column} = EXCLUDED.${column}`).join(', ')}
  WHERE (${CONTENT.map((column) => `jobs.${column}`).join(', ')})
    IS DISTINCT FROM (${CONTENT.map((column) => `EXCLUDED.${column}`).join(', ')})
  RETURNING (xmax = 0) AS created`;

/**
 * Returns the statement that makes the jobs that are new and changes those that are not; each job may come once. New ones
 * that were fetched from Upwork say so.
 * @param json an array of JobRecord; PostgreSQL takes bytes as the binary form of json, which is its text
 */
export function storeJobs(json: Buffer, isFetched: boolean): [sql: string, values: unknown[]] {
  return [STORE_JOBS, [json, isFetched]];
}
