import { AppError, type FieldError } from '../../platform/errors/app-error';
import { RequestValidationPipe } from '../../platform/http/validation/request-validation.pipe';
import { CreateJobDto } from '../jobs.dto';
import { assertRanges, contentOf, type JobContent, sourceKeyOf } from '../job-content';
import type { JobStatus } from '../job-values';
import { isScientific, roundedId } from './cell-readers';

/** A row of an imported file as its reader gives it: either what it says, under our field names, or why it cannot be read. */
export interface ImportRow {
  /** Place in the file, from 1; a CSV's header is not counted. */
  readonly row: number;
  readonly value?: unknown;
  readonly errors?: readonly FieldError[];
}

/** Ends the reading of a file that cannot be understood from here on; what came before stands. */
export class BrokenFileError extends Error {
  constructor(
    /** The row in which the file broke. */
    readonly row: number,
    message: string,
    readonly errors: readonly FieldError[] = [{ pointer: '', code: 'file_broken', message }],
  ) {
    super(message);
    this.name = BrokenFileError.name;
  }
}

/** Why a row is refused, from the error of whatever read or checked it; other errors than ours are not the row's. */
export function rowErrorsOf(error: unknown): readonly FieldError[] {
  if (!(error instanceof AppError)) throw error;
  if (error.errors.length > 0) return error.errors;
  return [{ pointer: '', code: error.code.replace('.', '_'), message: error.detail ?? error.title }];
}

/** A row that is good to store. */
export interface CheckedRow {
  readonly sourceKey: string;
  readonly content: JobContent;
  /** Set when the job is new; an existing one keeps what its tenant made of it. */
  readonly status: JobStatus;
  readonly isFavorite: boolean;
}

/** The very rules of POST /v1/jobs. */
const rules = new RequestValidationPipe();

/**
 * Returns the row as it is stored.
 * @throws AppError `validation.failed` with a JSON pointer per value, as POST /v1/jobs would answer
 */
export async function checkRow(value: unknown): Promise<CheckedRow> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = 'the row must be a JSON object';
    throw new AppError('validation.failed', { errors: [{ pointer: '', code: 'is_object', message }] });
  }
  const dto = (await rules.transform(value, { type: 'body', metatype: CreateJobDto })) as CreateJobDto;
  assertNotScientific(dto);
  assertRanges(dto);
  const content = contentOf(dto);
  return {
    sourceKey: sourceKeyOf(content),
    content,
    status: dto.status ?? 'active',
    isFavorite: dto.isFavorite ?? false,
  };
}

/** JSON made of a spreadsheet has its numbers too. @throws AppError `validation.failed` for an id in scientific notation */
function assertNotScientific({ upworkJobId }: CreateJobDto): void {
  if (upworkJobId && isScientific(upworkJobId)) throw roundedId(upworkJobId, 'upworkJobId');
}

/** A row as the statement that stores it reads it: under the names of the columns. */
export type JobRecord = Readonly<Record<string, unknown>>;

/** Returns the row under the names of the columns. */
export function recordOf({ sourceKey, content, status, isFavorite }: CheckedRow): JobRecord {
  return {
    source_key: sourceKey,
    upwork_job_id: content.upworkJobId,
    title: content.title,
    description: content.description,
    budget_min: content.budgetMin,
    budget_max: content.budgetMax,
    hourly_rate_min: content.hourlyRateMin,
    hourly_rate_max: content.hourlyRateMax,
    currency: content.currency,
    skills: content.skills,
    category: content.category,
    subcategory: content.subcategory,
    country: content.country,
    client_info: content.clientInfo,
    job_type: content.jobType,
    experience_level: content.experienceLevel,
    duration: content.duration,
    workload: content.workload,
    status,
    is_favorite: isFavorite,
  };
}
