/** What the hash of a change consists of, in the order of a line of the export; texts are those of PostgreSQL. */
export interface ChangeRow {
  readonly id: number;
  /** UTC, with microseconds. */
  readonly createdAt: string;
  readonly userId: number | null;
  readonly table: string;
  readonly recordId: number | null;
  readonly action: string;
  readonly actorKind: string;
  readonly actorId: number | null;
  readonly requestId: string | null;
  readonly operation: string | null;
  readonly transactionId: string;
  readonly oldValues: string | null;
  readonly newValues: string | null;
  readonly reason: string | null;
  readonly ipAddress: string | null;
  readonly salt: string | null;
  readonly valuesHash: string | null;
  readonly addressHash: string | null;
}

/** What the hash of a security event consists of, in the order of a line of the export. */
export interface EventRow {
  readonly id: number;
  readonly createdAt: string;
  readonly userId: number | null;
  readonly eventType: string;
  readonly success: boolean;
  readonly transactionId: string;
  readonly ipAddress: string | null;
  readonly details: string | null;
  readonly userAgent: string | null;
  readonly salt: string | null;
  readonly detailsHash: string | null;
}

/** The newest seal. */
export interface ExportHead {
  readonly id: number;
  readonly treeSize: number;
  readonly checkpoint: string;
  readonly verifierKey: string;
}

/** Returns the newest seal. */
export const FIND_HEAD = `
  SELECT id, tree_size AS "treeSize", checkpoint, verifier_key AS "verifierKey"
  FROM audit.seals ORDER BY id DESC LIMIT 1`;

/** Returns the indexes in the tree of rows of the tenant ($1) that are sealed up to a seal ($2). */
export const FIND_LEAVES = `
  SELECT row_id AS "rowId", leaf_index AS "leafIndex" FROM audit.find_leaves($1::bigint[], $2)`;

const CREATED_AT = `to_char(a.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt"`;

const CHANGE_COLUMNS = `a.id, ${CREATED_AT}, a.user_id AS "userId", a.table_name AS "table", a.record_id AS "recordId",
  a.action, a.actor_kind AS "actorKind", a.actor_id AS "actorId", a.request_id AS "requestId", a.operation,
  a.transaction_id::text AS "transactionId", a.old_values::text AS "oldValues", a.new_values::text AS "newValues",
  a.reason`;

/** The rows of a page: from the time $1 up to $2, after the time $3 and id $4, at most $5. */
const PAGE = `
  WHERE a.created_at >= $1 AND a.created_at < $2 AND (a.created_at, a.id) > ($3::timestamptz, $4::bigint)
  ORDER BY a.created_at, a.id LIMIT $5`;

/** Returns the values of a page: of `query` after the row `last`. */
export function buildPage(
  { from, to }: { readonly from?: Date; readonly to?: Date },
  last: { readonly createdAt: string; readonly id: number } | undefined,
  limit: number,
): unknown[] {
  return [from ?? '-infinity', to ?? 'infinity', last?.createdAt ?? '-infinity', last?.id ?? 0, limit];
}

/**
 * Lists changes of the tenant's rows, oldest first. The address of another actor is replaced by its hash, without the
 * part of the salt by which it could be found.
 */
export const LIST_OWN_CHANGES = `
  SELECT ${CHANGE_COLUMNS}, CASE WHEN a.actor_id = a.user_id THEN host(a.ip_address) END AS "ipAddress",
    encode(CASE WHEN a.actor_id = a.user_id THEN a.values_salt ELSE substr(a.values_salt, 1, 16) END, 'hex') AS salt,
    encode(a.values_hash, 'hex') AS "valuesHash",
    encode(CASE WHEN a.actor_id = a.user_id THEN a.address_hash ELSE audit.address_hash(a) END, 'hex') AS "addressHash"
  FROM (SELECT * FROM audit_logs WHERE user_id = (SELECT tenant FROM auth.context)) AS a ${PAGE}`;

/** Lists changes of all tenants, oldest first. Role: gigvault_admin. */
export const LIST_CHANGES = `
  SELECT ${CHANGE_COLUMNS}, host(a.ip_address) AS "ipAddress", encode(a.values_salt, 'hex') AS salt,
    encode(a.values_hash, 'hex') AS "valuesHash", encode(a.address_hash, 'hex') AS "addressHash"
  FROM audit_logs a ${PAGE}`;

const EVENT_COLUMNS = `a.id, ${CREATED_AT}, a.user_id AS "userId", a.event_type AS "eventType", a.success,
  a.transaction_id::text AS "transactionId", host(a.ip_address) AS "ipAddress", a.details::text AS details,
  nullif(a.user_agent, '') AS "userAgent", encode(a.details_salt, 'hex') AS salt,
  encode(a.details_hash, 'hex') AS "detailsHash"`;

/** Lists the events of all users, oldest first. Role: gigvault_admin. */
export const LIST_EVENTS = `SELECT ${EVENT_COLUMNS} FROM security_logs a ${PAGE}`;

/** Events that explain erased and missing rows. */
const EVIDENCE = `('audit.forgotten', 'audit.removed')`;

/** Lists the events outside of a range that explain erased and missing rows, oldest first. Role: gigvault_admin. */
export const LIST_EVIDENCE = `
  SELECT ${EVENT_COLUMNS} FROM security_logs a
  WHERE a.event_type IN ${EVIDENCE} AND NOT (a.created_at >= $1 AND a.created_at < $2)
    AND (a.created_at, a.id) > ($3::timestamptz, $4::bigint)
  ORDER BY a.created_at, a.id LIMIT $5`;

/** Returns a row when an event that explains erased and missing rows is not sealed up to a seal ($1). */
export const FIND_UNSEALED_EVIDENCE = `
  SELECT e.id FROM security_logs e, (SELECT security_floor AS floor FROM audit.seals WHERE id = $1) AS head
  WHERE e.event_type IN ${EVIDENCE} AND e.id > head.floor AND NOT EXISTS (
    SELECT FROM audit.seals s
    WHERE s.id <= $1 AND s.security_until >= e.id AND position('\\x73'::bytea || int8send(e.id) IN s.entries) > 0)
  LIMIT 1`;

/** Limits of one statement: seals of each minute are small and many, those after a pause have up to 9.8 MB. */
const SEALS_AT_ONCE = 1_000;
const SEAL_BYTES_AT_ONCE = 1_000_000;

/** Lists the entries of seals after $1, up to $2. */
export const LIST_ENTRIES = `
  SELECT id, entries FROM (
    SELECT id, entries, sum(octet_length(entries)) OVER (ORDER BY id) - octet_length(entries) AS earlier_bytes
    FROM (SELECT id, entries FROM audit.seals WHERE id > $1 AND id <= $2 ORDER BY id LIMIT ${SEALS_AT_ONCE}) AS n
  ) AS s
  WHERE earlier_bytes < ${SEAL_BYTES_AT_ONCE} ORDER BY id`;
