import type { EntityMetadata } from 'typeorm';
import type { Database } from '../platform/database/database';
import type { AuditLog } from './audit-log.entity';
import type { ActorDto } from './dto/actor.dto';
import type { AdminAuditLogDto } from './dto/admin-audit-log.dto';
import type { AuditLogDto } from './dto/audit-log.dto';
import type { ChangeDto } from './dto/change.dto';
import { fieldChanges, type AuditedColumn } from './field-changes';

/** Shows rows of the audit log: names and forms of values come from the entities that map the tables. */
export class AuditLogViews {
  private readonly columns = new Map<string, ReadonlyMap<string, AuditedColumn>>();

  constructor(private readonly database: Database) {}

  /** A change of a record the reader has named. */
  readonly change = (row: AuditLog): ChangeDto => {
    const columns = this.columnsOf(row.tableName);
    return {
      at: row.createdAt,
      actor: actorOf(row),
      action: row.action,
      changes: fieldChanges(row.oldValues, row.newValues, (column) => columns.get(column)),
    };
  };

  /** A row for the tenant it is about: where an admin sits is not his to know. */
  readonly own = (row: AuditLog): AuditLogDto => ({
    id: row.id,
    table: row.tableName,
    recordId: row.recordId,
    ...this.change(row),
    operation: row.operation,
    requestId: row.requestId,
    reason: row.reason,
    ipAddress: row.actorId === row.userId ? row.ipAddress : null,
  });

  /** A row for an admin. */
  readonly admin = (row: AuditLog): AdminAuditLogDto => ({
    ...this.own(row),
    userId: row.userId,
    ipAddress: row.ipAddress,
  });

  private columnsOf(table: string): ReadonlyMap<string, AuditedColumn> {
    let columns = this.columns.get(table);
    if (!columns) this.columns.set(table, (columns = auditedColumns(this.database.metadataOf(table))));
    return columns;
  }
}

/** A task that works for a tenant has his id in its context; it is not him. */
function actorOf({ actorKind, actorId }: AuditLog): ActorDto {
  return { kind: actorKind, id: actorKind === 'user' || actorKind === 'admin' ? actorId : null };
}

function auditedColumns(metadata: EntityMetadata | undefined): ReadonlyMap<string, AuditedColumn> {
  return new Map(
    metadata?.columns.map(({ databaseName, propertyName, type, scale }): [string, AuditedColumn] => [
      databaseName,
      {
        field: propertyName,
        kind: type === 'numeric' ? 'money' : type === 'timestamptz' ? 'instant' : 'plain',
        places: scale ?? 0,
      },
    ]),
  );
}
