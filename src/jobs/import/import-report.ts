import type { FieldError } from '../../platform/errors/app-error';
import type { ImportErrorDto } from '../dto/import-error.dto';
import type { ImportReportDto } from '../dto/import-report.dto';

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
