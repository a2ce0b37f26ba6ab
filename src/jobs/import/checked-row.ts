import { AppError } from '../../platform/errors/app-error';
import { RequestValidationPipe } from '../../platform/http/request-validation.pipe';
import { CreateJobDto } from '../dto/create-job.dto';
import { contentOf, type JobContent } from '../job-content';
import { assertRanges } from '../job-ranges';
import type { JobStatus } from '../job-values';
import { sourceKeyOf } from '../source-key';
import { isScientific, roundedId } from './cell-readers';

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
