import { Conditions } from '../../platform/database/conditions';
import type { CursorKey } from '../../platform/http/pagination/keyset-page';
import type { AuditLog, SecurityLog } from './audit-log.entity';
import type { ActorDto, AuditAction, ListSecurityLogsDto } from './audit-logs.dto';

/** A row with its sort key as PostgreSQL's text: a Date loses the microseconds. */
type WithSortKey<Row> = Row & { readonly sortKey: string };

/** A row of the audit log with its sort key. */
export type AuditLogRow = WithSortKey<AuditLog>;

/** A row of the security log with its sort key. */
export type SecurityLogRow = WithSortKey<SecurityLog>;

/** Filters of the audit log. */
export interface AuditLogFilter {
  readonly table?: string;
  readonly recordId?: number;
  readonly action?: readonly AuditAction[];
  readonly from?: Date;
  readonly to?: Date;
  readonly userId?: number;
  readonly actorKind?: ActorDto['kind'];
}

const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';
const KEY_TYPES = ['timestamptz', 'bigint'];

/** Builds the query of one page of audit rows that the role may read, newest first, after the keys `after`. */
export function listAuditLogs(
  filter: AuditLogFilter,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions()
    .add('user_id = $?', filter.userId)
    .add('table_name = $?', filter.table)
    .add('record_id = $?', filter.recordId)
    .anyOf('action', filter.action)
    .add('actor_kind = $?', filter.actorKind)
    .add('created_at >= $?', filter.from)
    .add('created_at < $?', filter.to)
    .after('created_at, id', '<', KEY_TYPES, after);
  const limit = conditions.value(take);
  return [
    `SELECT id, created_at AS "createdAt", created_at::text AS "sortKey", user_id AS "userId",
       table_name AS "tableName", record_id AS "recordId", action, old_values AS "oldValues", new_values AS "newValues",
       actor_kind AS "actorKind", actor_id AS "actorId", operation, request_id AS "requestId", reason,
       host(ip_address) AS "ipAddress"
     FROM audit_logs ${conditions.where} ${NEWEST_FIRST} LIMIT ${limit}`,
    conditions.values,
  ];
}

/** Filters of the security log. */
type SecurityLogFilter = Omit<ListSecurityLogsDto, 'limit' | 'cursor'>;

/** Builds the query of one page of security events that the role may read, newest first, after the keys `after`. */
export function listSecurityLogs(
  filter: SecurityLogFilter,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions()
    .add('user_id = $?', filter.userId)
    .add('event_type = $?', filter.eventType)
    .add('success = $?', filter.success)
    .add('ip_address = app.to_inet($?)', filter.ipAddress)
    .add('created_at >= $?', filter.from)
    .add('created_at < $?', filter.to)
    .after('created_at, id', '<', KEY_TYPES, after);
  const limit = conditions.value(take);
  return [
    `SELECT id, created_at AS "createdAt", created_at::text AS "sortKey", user_id AS "userId",
       event_type AS "eventType", success, host(ip_address) AS "ipAddress", user_agent AS "userAgent", details
     FROM security_logs ${conditions.where} ${NEWEST_FIRST} LIMIT ${limit}`,
    conditions.values,
  ];
}
