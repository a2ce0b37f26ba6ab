import { ApiProperty } from '@nestjs/swagger';

/** What an undo did. */
export class RequestUndoDto {
  @ApiProperty({ type: String, description: 'The id of the request that was undone.', example: 'import-2026-01-31' })
  requestId: string;

  @ApiProperty({ type: 'integer', description: 'Number of undone changes.', example: 3 })
  changes: number;

  @ApiProperty({
    type: 'integer',
    description: 'Rows that the request had created, and that were deleted.',
    example: 1,
  })
  deleted: number;

  @ApiProperty({ type: 'integer', description: 'Changes of rows that were taken back.', example: 1 })
  updated: number;

  @ApiProperty({ type: 'integer', description: 'Rows that the request had deleted, and that are back.', example: 1 })
  restored: number;
}

/** Why a change cannot be undone. */
type UndoReason =
  'not_undoable' | 'erased' | 'redacted' | 'changed_later' | 'in_use' | 'value_taken' | 'parent_gone' | 'not_valid';

/** A change that cannot be undone. */
export interface UndoConflict {
  readonly table: string;
  readonly recordId: number;
  readonly reason: UndoReason;
  /** The audit row of the change; absent for a row in use. */
  readonly auditId?: number;
  /** The newest audit row of the record, for `changed_later`. */
  readonly laterAuditId?: number | null;
  /** A row that refers to the record, for `in_use`. */
  readonly otherTable?: string;
  readonly otherRecordId?: number;
  /** The violated constraint. */
  readonly constraint?: string | null;
}
