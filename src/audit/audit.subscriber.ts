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
 * Returns the columns' values as the JSON text that PostgreSQL's to_jsonb() creates for the row: decimals as numbers
 * with all digits, instants in UTC to the millisecond. Subscriber and triggers thus write one form, and audit.record()
 * need not parse its arguments.
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
  // JSON.stringify would create a string, and Number() would lose digits after the 15th.
  if (type === 'numeric' && typeof value === 'string' && DECIMAL.test(value)) return value;
  return JSON.stringify(value);
}

/** Columns of all tables that no audit row contains. */
const BOOKKEEPING_COLUMNS = ['updated_at', 'version', 'fetched_at'];

/**
 * Columns of a table that no audit row contains. A test compares them with audit.audited_tables: with one column too
 * many, audit.record() would take the row apart, which doubles its time.
 */
const IGNORED_COLUMNS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ai_generations', ['tokens_used', 'success']],
  ['jobs', ['upwork_job_number']],
  ['proposals', ['won_at', 'rejected_at']],
  [
    'saved_searches',
    ['new_matches', 'last_searched_at', 'last_alerted_at', 'last_full_search_at', 'last_error', 'last_tried_at'],
  ],
  ['user_mfa', ['last_totp_step']],
  ['user_tokens', ['refresh_owner', 'refresh_until', 'upwork_user_id', 'next_capability_check_at']],
  ['webhooks', ['paused_until', 'timeouts']],
]);

/**
 * Audits the entity API; triggers audit all other writes. Collects each change in its unit of work, which records them
 * with audit.record() in the batch that contains COMMIT. A rollback leaves no audit row, and a change without a record
 * stops the commit. audit.record() redacts secret columns.
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
    const stored = listStoredColumns(metadata);
    const changed = updatedColumns.filter((column) => stored.includes(column));
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
    if (unread.length > 0) throw new Error(`${metadata.tableName}: ${unread.join()} is not read; use unit.query`);
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
  if (!unit) throw new Error(`${metadata.tableName}: written outside a unit of work`);
  unit.changes.push({ table: metadata.tableName, id: Number(id), action, old: before, new: after });
}

const storedColumnsByEntity = new WeakMap<EntityMetadata, ColumnMetadata[]>();

/** Includes columns an entity does not read (`select: false`): no entity writes them, so new rows have NULL. */
export function listStoredColumns(metadata: EntityMetadata): ColumnMetadata[] {
  let columns = storedColumnsByEntity.get(metadata);
  if (!columns) {
    const ignored = [...BOOKKEEPING_COLUMNS, ...(IGNORED_COLUMNS.get(metadata.tableName) ?? [])];
    columns = metadata.columns.filter((column) => !column.asExpression && !ignored.includes(column.databaseName));
    storedColumnsByEntity.set(metadata, columns);
  }
  return columns;
}
