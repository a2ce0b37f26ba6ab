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

/** The properties of a column that decide how the API shows its values. */
export interface AuditedColumn {
  readonly field: string;
  readonly kind: 'money' | 'instant' | 'plain';
  /** Decimal places of money. */
  readonly decimalPlaces: number;
}

/** Values in audit_logs: column names and PostgreSQL's JSON. */
type StoredValues = Readonly<Record<string, unknown>> | null;

/** Columns left out: record and owner are known to the caller; source_key follows from the other fields. */
const OMITTED_COLUMNS = new Set(['id', 'user_id', 'source_key']);

/**
 * Returns the changed fields with the API's names and formats: money as a decimal string, times in UTC to the
 * millisecond. Leaves out fields that are null before and after.
 * @param findColumn returns undefined for a table without an entity, whose columns are derived from their names
 */
export function diffFields(
  before: StoredValues,
  after: StoredValues,
  findColumn: (column: string) => AuditedColumn | undefined,
): Record<string, FieldChange> {
  const columns = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const changes = columns
    .filter((column) => !OMITTED_COLUMNS.has(column))
    .map((column): [string, FieldChange] => {
      const known = findColumn(column) ?? inferColumn(column);
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

/** Formats an instant; a redacted one stays unchanged. */
function formatInstant(value: string): string {
  const instant = new Date(value);
  return Number.isNaN(instant.getTime()) ? value : instant.toISOString();
}

/** Maps rows of the audit log to DTOs. Names and formats of values come from the entities of the tables. */
export class AuditLogMapper {
  private readonly columns = new Map<string, ReadonlyMap<string, AuditedColumn>>();

  constructor(private readonly database: Database) {}

  /** Returns a change of a record that the caller named. */
  readonly toChange = (row: AuditLog): ChangeDto => {
    const columns = this.getColumns(row.tableName);
    return {
      at: row.createdAt,
      actor: toActor(row),
      action: row.action,
      changes: diffFields(row.oldValues, row.newValues, (column) => columns.get(column)),
    };
  };

  /** Returns the tenant's view of a row. Omits the IP address of an admin. */
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

  /** Returns the admin's view of a row. */
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

/** Returns the actor. A task has the tenant's id in its context, but the tenant is not the actor. */
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
