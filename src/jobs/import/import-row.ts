import { mapToColumns } from '../../platform/database/base.entity';
import { AppError, type FieldError } from '../../platform/errors/app-error';
import { RequestValidationPipe } from '../../platform/http/validation/request-validation.pipe';
import { CreateJobDto } from '../jobs.dto';
import { assertRanges, buildSourceKey, CONTENT_FIELDS, type JobContent, toJobContent } from '../job-content';
import { Job } from '../job.entity';
import type { JobStatus } from '../job-values';
import { isScientific, roundedId } from './cell-readers';

/** A row of an imported file: its values under the API's field names, or the reasons why it cannot be read. */
export interface ImportRow {
  /** Number of the row in the file, from 1, without a CSV's header. */
  readonly row: number;
  readonly value?: unknown;
  readonly errors?: readonly FieldError[];
}

/** The error that ends the reading of a file. Earlier rows are kept. */
export class BrokenFileError extends Error {
  constructor(
    /** The row at which reading ended. */
    readonly row: number,
    message: string,
    readonly errors: readonly FieldError[] = [{ pointer: '', code: 'file_broken', message }],
  ) {
    super(message);
    this.name = BrokenFileError.name;
  }
}

/** Returns the errors of a row from an AppError. Rethrows any other error. */
export function toRowErrors(error: unknown): readonly FieldError[] {
  if (!(error instanceof AppError)) throw error;
  if (error.errors.length > 0) return error.errors;
  return [{ pointer: '', code: error.code.replace('.', '_'), message: error.detail ?? error.title }];
}

/** A validated row. */
export interface CheckedRow {
  readonly sourceKey: string;
  readonly content: JobContent;
  /** Applied to a new job only; an existing job keeps its own. */
  readonly status: JobStatus;
  readonly isFavorite: boolean;
}

/** The validation of POST /v1/jobs. */
const rules = new RequestValidationPipe();

/**
 * Validates a row.
 * @throws AppError `validation.failed` with a JSON pointer per value, as POST /v1/jobs answers
 */
export async function checkRow(value: unknown): Promise<CheckedRow> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = 'the row must be a JSON object';
    throw new AppError('validation.failed', { errors: [{ pointer: '', code: 'is_object', message }] });
  }
  const dto = (await rules.transform(value, { type: 'body', metatype: CreateJobDto })) as CreateJobDto;
  assertNotScientific(dto);
  assertRanges(dto);
  const content = toJobContent(dto);
  const { status = 'active', isFavorite = false } = dto;
  return { sourceKey: buildSourceKey(content), content, status, isFavorite };
}

/**
 * Rejects an id in scientific notation, which JSON from a spreadsheet may have.
 * @throws AppError `validation.failed`
 */
function assertNotScientific({ upworkJobId }: CreateJobDto): void {
  if (upworkJobId && isScientific(upworkJobId)) throw roundedId(upworkJobId, 'upworkJobId');
}

/** The columns of an imported row, by their properties. */
export const IMPORTED_COLUMNS = mapToColumns(Job, ['sourceKey', ...CONTENT_FIELDS, 'status', 'isFavorite']);

/** Values of a row by the names of its fields or columns. */
export type RowValues = Readonly<Record<string, unknown>>;

/** The start of each value in the JSON of a row. */
const KEYS = [...IMPORTED_COLUMNS].map(([property, column]) => [property, `${JSON.stringify(column)}:`] as const);

/**
 * Converts a row to JSON under the names of the columns; an absent column is NULL. It makes no object of all values,
 * not even by a spread: that is a dictionary of two kilobytes, which V8 soon allocates in the old generation.
 */
export function toRecordJson({ content, ...row }: CheckedRow): string {
  const others: RowValues = row;
  const ofContent: RowValues = content;
  const members: string[] = [];
  for (const [property, key] of KEYS) {
    const value = ofContent[property] ?? others[property] ?? null;
    if (value !== null) members.push(key + JSON.stringify(value));
  }
  return `{${members.join()}}`;
}
