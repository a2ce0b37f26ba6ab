import { Conditions } from '../../platform/database/conditions';
import type { CursorKey } from '../../platform/http/pagination/keyset-page';
import type { AuditLog } from './audit-log.entity';
import { type ActorDto, type AuditAction } from './audit-logs.dto';
import type { ListSecurityLogsDto } from './security-logs.dto';
import type { SecurityLog } from './security-log.entity';

/** A row of a list, with its sort value as PostgreSQL writes it: a Date loses the microseconds. */
type WithSortKey<Row> = Row & { readonly sortKey: string };

/** A row of the audit log in a list. */
export type AuditLogRow = WithSortKey<AuditLog>;

/** A row of the security log in a list. */
export type SecurityLogRow = WithSortKey<SecurityLog>;

/** What a list of audit rows can be narrowed to. */
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

/** One page of the audit rows the role may see, newest first, behind the row with the keys `after`. */
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
    `SELECT id, created_at AS "createdAt", created_at::text AS "sortKey", user_id AS "userId", table_name AS "tableName",
       record_id AS "recordId", action, old_values AS "oldValues", new_values AS "newValues",
       actor_kind AS "actorKind", actor_id AS "actorId", operation, request_id AS "requestId", reason,
       host(ip_address) AS "ipAddress"
     FROM audit_logs ${conditions.where} ${NEWEST_FIRST} LIMIT ${limit}`,
    conditions.values,
  ];
}

/** What a list of security events can be narrowed to. */
type SecurityLogFilter = Omit<ListSecurityLogsDto, 'limit' | 'cursor'>;

/** One page of the security events the role may see, newest first, behind the row with the keys `after`. */
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
    `SELECT id, created_at AS "createdAt", created_at::text AS "sortKey", user_id AS "userId", event_type AS "eventType",
       success, host(ip_address) AS "ipAddress", user_agent AS "userAgent", details
     FROM security_logs ${conditions.where} ${NEWEST_FIRST} LIMIT ${limit}`,
    conditions.values,
  ];
}
