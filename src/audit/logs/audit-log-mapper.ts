import {
  type ActorDto,
  type AdminAuditLogDto,
  type AuditLogDto,
  type ChangeDto,
  type FieldChange,
} from './audit-logs.dto';
import type { EntityMetadata } from 'typeorm';
import type { Database } from '../../platform/database/database';
import type { AuditLog } from './audit-log.entity';

/** What the audit must know of a column to show its values as the API does. */
export interface AuditedColumn {
  readonly field: string;
  readonly kind: 'money' | 'instant' | 'plain';
  /** Decimal places of money. */
  readonly decimalPlaces: number;
}

/** A row as audit_logs keeps it: column names, PostgreSQL's JSON of the values. */
type StoredValues = Readonly<Record<string, unknown>> | null;

/** Name the record and its owner, which the caller knows; source_key follows from the other fields. */
const OMITTED_COLUMNS = new Set(['id', 'user_id', 'source_key']);

/**
 * Returns what changed under the API's field names and in the API's forms: money as a decimal string, times in
 * milliseconds of UTC. Fields that are null before and after are no change.
 * @param columnOf what is known of a column; undefined for a table without an entity, whose columns go by their names
 */
export function diffFields(
  before: StoredValues,
  after: StoredValues,
  columnOf: (column: string) => AuditedColumn | undefined,
): Record<string, FieldChange> {
  const columns = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const changes = columns
    .filter((column) => !OMITTED_COLUMNS.has(column))
    .map((column): [string, FieldChange] => {
      const known = columnOf(column) ?? inferColumn(column);
      return [known.field, { old: formatValue(before?.[column], known), new: formatValue(after?.[column], known) }];
    });
  return Object.fromEntries(changes.filter(([, change]) => change.old !== null || change.new !== null));
}

function inferColumn(column: string): AuditedColumn {
  const field = column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return { field, kind: column.endsWith('_at') ? 'instant' : 'plain', decimalPlaces: 0 };
}

function formatValue(value: unknown, { kind, decimalPlaces: places }: AuditedColumn): unknown {
  if (value === undefined || value === null) return null;
  if (kind === 'money' && typeof value === 'number') return value.toFixed(places);
  if (kind === 'instant' && typeof value === 'string') return formatInstant(value);
  return value;
}

/** A redacted instant stays what it is. */
function formatInstant(value: string): string {
  const instant = new Date(value);
  return Number.isNaN(instant.getTime()) ? value : instant.toISOString();
}

/** Shows rows of the audit log: names and forms of values come from the entities that map the tables. */
export class AuditLogMapper {
  private readonly columns = new Map<string, ReadonlyMap<string, AuditedColumn>>();

  constructor(private readonly database: Database) {}

  /** A change of a record the reader has named. */
  readonly toChange = (row: AuditLog): ChangeDto => {
    const columns = this.getColumns(row.tableName);
    return {
      at: row.createdAt,
      actor: toActor(row),
      action: row.action,
      changes: diffFields(row.oldValues, row.newValues, (column) => columns.get(column)),
    };
  };

  /** A row for the tenant it is about: where an admin sits is not his to know. */
  readonly toTenantLog = (row: AuditLog): AuditLogDto => ({
    id: row.id,
    table: row.tableName,
    recordId: row.recordId,
    ...this.toChange(row),
    operation: row.operation,
    requestId: row.requestId,
    reason: row.reason,
    ipAddress: row.actorId === row.userId ? row.ipAddress : null,
  });

  /** A row for an admin. */
  readonly toAdminLog = (row: AuditLog): AdminAuditLogDto => ({
    ...this.toTenantLog(row),
    userId: row.userId,
    ipAddress: row.ipAddress,
  });

  private getColumns(table: string): ReadonlyMap<string, AuditedColumn> {
    let columns = this.columns.get(table);
    if (!columns) this.columns.set(table, (columns = mapAuditedColumns(this.database.metadataOf(table))));
    return columns;
  }
}

/** A task that works for a tenant has his id in its context; it is not him. */
function toActor({ actorKind, actorId }: AuditLog): ActorDto {
  return { kind: actorKind, id: actorKind === 'user' || actorKind === 'admin' ? actorId : null };
}

function mapAuditedColumns(metadata: EntityMetadata | undefined): ReadonlyMap<string, AuditedColumn> {
  return new Map(
    metadata?.columns.map(({ databaseName, propertyName, type, scale }): [string, AuditedColumn] => [
      databaseName,
      {
        field: propertyName,
        kind: type === 'numeric' ? 'money' : type === 'timestamptz' ? 'instant' : 'plain',
        decimalPlaces: scale ?? 0,
      },
    ]),
  );
}
