import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { AppError, invalidValue } from '../../platform/errors/app-error';
import { describeConstraint } from '../../platform/errors/postgres-errors';
import type { RequestUndoDto, UndoConflict } from './request-undo.dto';

/** Longest run of the undo, which handles thousands of rows. */
const TIMEOUT_MS = 60_000;

/** The characters of request ids. A text of another length is an unknown id. */
const REQUEST_ID = /^[A-Za-z0-9._-]+$/;

const UNDO = 'SELECT app.undo_request($1) AS outcome';

/** The answer of app.undo_request(). The other members are absent when there are no changes, or too many. */
interface Outcome {
  readonly changes: number;
  readonly maxChanges?: number;
  readonly deleted: number;
  readonly updated: number;
  readonly restored: number;
  readonly conflictsTotal: number;
  readonly conflicts: readonly UndoConflict[];
}

/** A conflict with a sentence for the caller. */
type DescribedConflict = UndoConflict & { readonly message: string };

/** Undoes requests of the signed-in user. */
@Injectable()
export class RequestUndoService {
  constructor(private readonly database: Database) {}

  /**
   * Undoes all changes that the signed-in user made to their own rows with this request id, newest first, or nothing.
   * One transaction; triggers write one audit row per change. Undoes of one user wait for each other. Session: user.
   * @throws AppError `validation.failed` (/requestId), `audit.not_found` without a change, `audit.undo_refused` with
   *   the extension members `conflicts`, at most 100, and `conflictsTotal`
   */
  undo(requestId: string): Promise<RequestUndoDto> {
    if (!REQUEST_ID.test(requestId)) {
      throw invalidValue('/requestId', 'pattern', 'requestId must have only letters, digits, dots, - and _.');
    }
    return this.database.transaction(async (unit) => {
      unit.setStatementTimeout(TIMEOUT_MS);
      const [row] = await unit.query<{ outcome: Outcome }>(UNDO, [requestId]);
      const { changes, maxChanges, deleted, updated, restored, conflicts, conflictsTotal } = row!.outcome;
      if (changes === 0) throw new AppError('audit.not_found', { detail: 'You have no change with this request id.' });
      if (maxChanges !== undefined) {
        throw new AppError('audit.undo_refused', { detail: `The request has more than ${maxChanges} changes.` });
      }
      if (conflictsTotal > 0) throw refuse(conflicts, conflictsTotal);
      unit.hasWritten = true;
      return { requestId, changes, deleted, updated, restored };
    });
  }
}

function refuse(conflicts: readonly UndoConflict[], conflictsTotal: number): AppError {
  const described = conflicts.map(describe);
  return new AppError('audit.undo_refused', {
    detail: `Nothing was changed. ${described[0]!.message}`,
    extensions: { conflicts: described, conflictsTotal },
  });
}

function describe(conflict: UndoConflict): DescribedConflict {
  const present = Object.entries(conflict).filter(([, value]) => value !== null);
  return { ...(Object.fromEntries(present) as unknown as UndoConflict), message: buildMessage(conflict) };
}

function buildMessage({ table, recordId, reason, laterAuditId, constraint, ...other }: UndoConflict): string {
  const row = `Row ${recordId} of ${table}`;
  const rule = describeConstraint(constraint ?? '')?.message ?? `It violates ${constraint ?? 'a constraint'}.`;
  switch (reason) {
    case 'not_undoable':
      return `${row} was changed in a way that cannot be undone.`;
    case 'erased':
      return `${row} had values that were erased.`;
    case 'redacted':
      return `${row} had secrets, which the audit log does not have.`;
    case 'changed_later':
      return `${row} was changed later, by audit entry ${laterAuditId}. Undo that change first.`;
    case 'in_use':
      return `${row} is in use by row ${other.otherRecordId} of ${other.otherTable}.`;
    case 'value_taken':
      return `${row} cannot get its old values: another row has them. ${rule}`;
    case 'parent_gone':
      return `${row} refers to a row that no longer exists. ${rule}`;
    case 'not_valid':
      return `${row} cannot get its old values: they are not valid any more. ${rule}`;
  }
}
