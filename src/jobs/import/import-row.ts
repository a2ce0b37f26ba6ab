import { AppError, type FieldError } from '../../platform/errors/app-error';

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
