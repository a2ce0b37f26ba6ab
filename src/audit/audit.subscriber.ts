import { Injectable } from '@nestjs/common';
import {
  type EntityMetadata,
  type EntitySubscriberInterface,
  type InsertEvent,
  type ObjectLiteral,
  type QueryRunner,
  type RemoveEvent,
  type UpdateEvent,
} from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import { Database } from '../platform/database/database';
import type { EntityChange } from '../platform/database/entity-change';
import type { Unit } from '../platform/database/unit';
import { storedValues } from './stored-values';

/** Follow from a change without being one; audit.audited_tables ignores them too. */
const BOOKKEEPING = new Set(['updated_at', 'version', 'fetched_at']);

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
    collect(queryRunner, metadata, 'INSERT', entity.id, null, storedValues(entity, storedColumns(metadata)));
  }

  afterUpdate({ metadata, entity, databaseEntity, updatedColumns, queryRunner }: UpdateEvent<ObjectLiteral>): void {
    const changed = updatedColumns.filter(isStored);
    collect(
      queryRunner,
      metadata,
      'UPDATE',
      entity?.id,
      storedValues(databaseEntity, changed),
      storedValues(entity ?? {}, changed),
    );
  }

  afterRemove({ metadata, databaseEntity, queryRunner }: RemoveEvent<ObjectLiteral>): void {
    const columns = storedColumns(metadata);
    const unread = columns.filter((column) => !column.isSelect).map((column) => column.databaseName);
    if (unread.length > 0) throw new Error(`${metadata.tableName}: ${unread.join()} is not read; delete by unit.query`);
    collect(queryRunner, metadata, 'DELETE', databaseEntity.id, storedValues(databaseEntity, columns), null);
  }
}

function collect(
  queryRunner: QueryRunner,
  metadata: EntityMetadata,
  action: EntityChange['action'],
  id: unknown,
  before: EntityChange['old'],
  after: EntityChange['new'],
): void {
  const { unit } = queryRunner.data as { unit?: Unit };
  if (!unit) throw new Error(`${metadata.tableName}: written outside the data gate`);
  unit.changes.push({ table: metadata.tableName, id: Number(id), action, old: before, new: after });
}

const stored = new WeakMap<EntityMetadata, ColumnMetadata[]>();

/** Also those an entity does not read (`select: false`): by hand they are never written, so they are NULL in a new row. */
function storedColumns(metadata: EntityMetadata): ColumnMetadata[] {
  let columns = stored.get(metadata);
  if (!columns) {
    columns = metadata.columns.filter(isStored);
    stored.set(metadata, columns);
  }
  return columns;
}

function isStored({ asExpression, databaseName }: ColumnMetadata): boolean {
  return !asExpression && !BOOKKEEPING.has(databaseName);
}
