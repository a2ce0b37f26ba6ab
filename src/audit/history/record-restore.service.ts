import { Injectable } from '@nestjs/common';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import { Database } from '../../platform/database/database';
import type { EntityClass, Identified } from '../../platform/database/entity-repository';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { AppError, invalidValue } from '../../platform/errors/app-error';
import type { ErrorCode } from '../../platform/errors/error-codes';
import { toAppError } from '../../platform/errors/postgres-errors';
import { assertVersion, type Preconditions } from '../../platform/http/responses/preconditions';
import { listStoredColumns } from '../audit.subscriber';
import { FIND_RECORD, type RecordVersionRow, VERSION_AFTER } from './record-versions.queries';

/** An entity whose changes are counted in `version`. */
type Versioned = Identified & { readonly version: number };

/** What a restore needs to know of a domain. */
export interface RestoreRequest<E extends Versioned> {
  readonly entity: EntityClass<E>;
  readonly id: number;
  /** The audit row after which the record had the wanted version. */
  readonly auditId: number;
  readonly ifMatch?: Preconditions;
  readonly notFound: ErrorCode;
  /**
   * Checks the values of the version as an update would, and returns what to store. `current` is the locked row, null
   * for a deleted record, which comes back unchanged.
   */
  decide(version: Partial<E>, current: E | null, unit: UnitOfWork): Partial<E> | Promise<Partial<E>>;
}

/** Columns that identify a row. An update never writes them. */
const IDENTITY_COLUMNS = ['id', 'user_id', 'created_at'];

/** Restores earlier versions of records from the audit log. */
@Injectable()
export class RecordRestoreService {
  constructor(private readonly database: Database) {}

  /**
   * Makes an earlier version of a record its new version and returns it. A deleted record comes back with its id.
   * Columns that the audit log omits stay, or get their defaults. One transaction; at most one audit row.
   * Session: user.
   * @throws AppError `notFound`, `audit.not_found` for an audit row that the user does not have, `validation.failed`
   *   (/auditId) for one of another record or of a deletion, `precondition.failed`, `audit.version_incomplete`,
   *   `audit.restore_conflict` when the version refers to a deleted row; those of `decide` and of the constraints
   */
  async restore<E extends Versioned>(request: RestoreRequest<E>): Promise<E> {
    try {
      return await this.database.transaction((unit) => this.restoreIn(unit, request));
    } catch (error) {
      const known = toAppError(error);
      if (known?.code !== 'reference.not_found') throw error;
      throw new AppError('audit.restore_conflict', { detail: known.detail, errors: known.errors, cause: error });
    }
  }

  private async restoreIn<E extends Versioned>(unit: UnitOfWork, request: RestoreRequest<E>): Promise<E> {
    const { entity, id } = request;
    const rows = unit.repository(entity);
    const current = await rows.find(id, { lock: true });
    const metadata = this.database.metadataFor(entity);
    const stored = await findValues(unit, metadata.tableName, request, current);
    assertVersion(current ?? { version: 0 }, request.ifMatch);
    const version = toProperties(listStoredColumns(metadata), stored) as Partial<E>;
    const changes = await request.decide(version, current, unit);
    if (current) return rows.update(current, changes);
    await unit.query('SELECT app.put_back($1, $2)', [metadata.tableName, JSON.stringify(stored)]);
    unit.hasWritten = true;
    return (await rows.find(id))!;
  }
}

/** Returns the values of the version: column names and PostgreSQL's JSON. */
async function findValues<E extends Versioned>(
  unit: UnitOfWork,
  table: string,
  { id, auditId, notFound }: RestoreRequest<E>,
  current: E | null,
): Promise<Record<string, unknown>> {
  const [[version], [record]] = await Promise.all([
    unit.query<RecordVersionRow>(VERSION_AFTER, [table, id, auditId]),
    unit.query<{ table: string; recordId: number | null }>(FIND_RECORD, [auditId]),
  ]);
  if (!current && !version) throw new AppError(notFound);
  if (!record) throw new AppError('audit.not_found');
  if (record.table !== table || record.recordId !== id) {
    throw invalidValue('/auditId', 'other_record', 'auditId must be an entry of the audit log about this record.');
  }
  if (!version!.exists) {
    throw invalidValue('/auditId', 'deletion', 'auditId is the deletion of this record. Send an earlier entry.');
  }
  const { values, isComplete, isErased } = version!;
  if (!values || !isComplete || isErased) throw new AppError('audit.version_incomplete');
  return values;
}

/** Converts stored values to those of an entity. */
function toProperties(
  columns: readonly ColumnMetadata[],
  stored: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const written = columns.filter(
    (column) =>
      column.isSelect &&
      column.isUpdate &&
      column.databaseName in stored &&
      !IDENTITY_COLUMNS.includes(column.databaseName),
  );
  return Object.fromEntries(
    written.map((column) => [column.propertyName, toPropertyValue(column, stored[column.databaseName])]),
  );
}

function toPropertyValue({ type, scale }: ColumnMetadata, value: unknown): unknown {
  if (type === 'numeric' && typeof value === 'number') return value.toFixed(scale ?? 0);
  if (type === 'timestamptz' && typeof value === 'string') return new Date(value);
  return value;
}
