import { Injectable } from '@nestjs/common';
import type { EntityMetadata } from 'typeorm';
import { Database } from '../../platform/database/database';
import { SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { KeysetPages } from '../../platform/http/pagination/keyset-page';
import type { Page, PageQueryDto } from '../../platform/http/pagination/page.dto';
import type { AuditLog } from './audit-log.entity';
import type {
  ActorDto,
  AdminAuditLogDto,
  AuditLogDto,
  ChangeDto,
  FieldChange,
  ListAllAuditLogsDto,
  ListAuditLogsDto,
} from './audit-logs.dto';
import { type AuditLogRow, listAuditLogs } from './audit.queries';

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
class AuditLogMapper {
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

/** Returns the audited columns of a table's entity; none for a table without an entity. */
export function mapAuditedColumns(metadata: EntityMetadata | undefined): ReadonlyMap<string, AuditedColumn> {
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

/** Reads the audit log: a tenant's own rows under row level security, all rows for an admin. */
@Injectable()
export class AuditLogsService {
  private readonly mapper: AuditLogMapper;

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly pages: KeysetPages,
  ) {
    this.mapper = new AuditLogMapper(database);
  }

  /** Returns one page of the changes of the signed-in user's rows, newest first. One statement. */
  async list(query: ListAuditLogsDto): Promise<Page<AuditLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toTenantLog);
  }

  /**
   * Returns one page of the changes of one record of the signed-in user, newest first. One statement.
   * @throws AppError `audit.not_found` when there are no changes
   */
  async getTrail(table: string, recordId: number, query: PageQueryDto): Promise<Page<AuditLogDto>> {
    const scope = { ...query, table, recordId };
    const page = this.pages.open(scope);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs({ table, recordId }, page.after, page.take));
    if (rows.length === 0 && query.cursor === undefined) throw new AppError('audit.not_found');
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toTenantLog);
  }

  /** Returns one page of the changes of all tenants' rows, newest first, as gigvault_admin; the access is logged. */
  async listAll(query: ListAllAuditLogsDto): Promise<Page<AdminAuditLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.system.asAdmin(
      'read the audit log',
      (unit) => unit.query<AuditLogRow>(...listAuditLogs(query, page.after, page.take)),
      query.userId,
    );
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toAdminLog);
  }
}

/** Reads the changes of one record, for the module of that record. */
@Injectable()
export class AuditHistoryService {
  private readonly mapper: AuditLogMapper;

  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {
    this.mapper = new AuditLogMapper(database);
  }

  /**
   * Returns one page of the changes of the tenant's record, newest first, as far as the log goes back, also for deleted
   * records. Empty for a record of another tenant: the caller checks whether it exists. One statement.
   */
  async listChanges(table: string, recordId: number, query: PageQueryDto): Promise<Page<ChangeDto>> {
    const scope = { ...query, table, recordId };
    const page = this.pages.open(scope);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs({ table, recordId }, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toChange);
  }
}
