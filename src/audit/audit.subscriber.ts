import {
  type EntityMetadata,
  type EntitySubscriberInterface,
  type InsertEvent,
  type ObjectLiteral,
  type QueryRunner,
  type RemoveEvent,
  type UpdateEvent,
} from 'typeorm';
import { type ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import type { EntityChange } from '../platform/database/entity-repository';
import type { UnitOfWork } from '../platform/database/unit-of-work';

const DECIMAL = /^-?\d+(\.\d+)?$/;

/**
 * Returns the columns' values as the JSON object, as text, that PostgreSQL's to_jsonb() makes of the row: decimals are
 * numbers with all their places, instants in UTC to the millisecond. So both pens of the audit write one form, and
 * audit.record() need not take apart what it is told.
 */
export function serializeValues(entity: ObjectLiteral, columns: readonly ColumnMetadata[]): string {
  let members = '';
  for (const { databaseName, propertyName, type } of columns) {
    members += `${members && ','}"${databaseName}":${serializeValue(entity[propertyName], type)}`;
  }
  return `{${members}}`;
}

function serializeValue(value: unknown, type: ColumnMetadata['type']): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Date)
    return `"${value.toISOString().replace(/(?:\.000|(?<=\.\d)00|(?<=\.\d\d)0)?Z$/, '+00:00')}"`;
  // JSON.stringify would make it a string, and Number() would lose places past the 15th digit.
  if (type === 'numeric' && typeof value === 'string' && DECIMAL.test(value)) return value;
  return JSON.stringify(value);
}

/** Follow from a change without being one; audit.audited_tables ignores them too. */
const IGNORED_COLUMNS = new Set(['updated_at', 'version', 'fetched_at']);

/**
 * The first of the two pens of the audit: hears every write of the entity API and collects it in its unit of work, which
 * writes each of them by audit.record() in the flight that carries COMMIT. So a rollback leaves no row, and a change
 * that was not heard stops the commit. Secret columns are blackened by audit.record itself.
 */
@Injectable()
export class AuditSubscriber implements EntitySubscriberInterface<ObjectLiteral> {
  constructor(database: Database) {
    database.subscribe(this);
  }

  afterInsert({ metadata, entity, queryRunner }: InsertEvent<ObjectLiteral>): void {
    recordChange(
      queryRunner,
      metadata,
      'INSERT',
      entity.id,
      null,
      serializeValues(entity, listStoredColumns(metadata)),
    );
  }

  afterUpdate({ metadata, entity, databaseEntity, updatedColumns, queryRunner }: UpdateEvent<ObjectLiteral>): void {
    const changed = updatedColumns.filter(isStored);
    recordChange(
      queryRunner,
      metadata,
      'UPDATE',
      entity?.id,
      serializeValues(databaseEntity, changed),
      serializeValues(entity ?? {}, changed),
    );
  }

  afterRemove({ metadata, databaseEntity, queryRunner }: RemoveEvent<ObjectLiteral>): void {
    const columns = listStoredColumns(metadata);
    const unread = columns.filter((column) => !column.isSelect).map((column) => column.databaseName);
    if (unread.length > 0) throw new Error(`${metadata.tableName}: ${unread.join()} is not read; delete by unit.query`);
    recordChange(queryRunner, metadata, 'DELETE', databaseEntity.id, serializeValues(databaseEntity, columns), null);
  }
}

function recordChange(
  queryRunner: QueryRunner,
  metadata: EntityMetadata,
  action: EntityChange['action'],
  id: unknown,
  before: EntityChange['old'],
  after: EntityChange['new'],
): void {
  const { unit } = queryRunner.data as { unit?: UnitOfWork };
  if (!unit) throw new Error(`${metadata.tableName}: written outside the data gate`);
  unit.changes.push({ table: metadata.tableName, id: Number(id), action, old: before, new: after });
}

const storedColumnsByEntity = new WeakMap<EntityMetadata, ColumnMetadata[]>();

/** Also those an entity does not read (`select: false`): by hand they are never written, so they are NULL in a new row. */
function listStoredColumns(metadata: EntityMetadata): ColumnMetadata[] {
  let columns = storedColumnsByEntity.get(metadata);
  if (!columns) {
    columns = metadata.columns.filter(isStored);
    storedColumnsByEntity.set(metadata, columns);
  }
  return columns;
}

function isStored({ asExpression, databaseName }: ColumnMetadata): boolean {
  return !asExpression && !IGNORED_COLUMNS.has(databaseName);
}
