import type { ApiProcess } from '../api-process';

/** A conflict of a refused undo. */
export interface Conflict {
  readonly table: string;
  readonly recordId: number;
  readonly reason: string;
  readonly laterAuditId?: number;
  readonly otherTable?: string;
  readonly otherRecordId?: number;
  readonly constraint?: string;
}

/** Columns by which a row refers to one of another table. */
const REFERENCES: Readonly<Record<string, string>> = {
  jobs: 'job_id',
  proposals: 'proposal_id',
  webhooks: 'webhook_id',
};

/**
 * The values that a row would take back, and the unique key over them. A job needs a look at its key only; an open
 * proposal is one that Upwork does not know.
 */
const UNIQUE: Readonly<Record<string, string>> = {
  jobs_source_key_key: "t.source_key = w.v ->> 'source_key'",
  templates_name_key: `t.name = w.v ->> 'name'`,
  saved_searches_name_key: `t.name = w.v ->> 'name'`,
  profiles_user_id_key: 'true',
  proposals_one_open_per_job: `t.status IN ('draft', 'submitted')`,
};

/** Returns why a conflict is not true; undefined for a true one. Reads tables and log as the superuser. */
export async function findFalseConflict(
  api: ApiProcess,
  userId: number,
  requestId: string,
  conflict: Conflict,
): Promise<string | undefined> {
  const { table, recordId, reason } = conflict;
  const isTrue = await checkReason(api, userId, requestId, conflict);
  return isTrue ? undefined : `${reason} of ${table} ${recordId}`;
}

async function checkReason(
  api: ApiProcess,
  userId: number,
  requestId: string,
  { table, recordId, reason, laterAuditId, otherTable, otherRecordId, constraint }: Conflict,
): Promise<boolean> {
  const exists = async (sql: string, values: unknown[]) => (await api.query(`${sql} LIMIT 1`, values)).length > 0;
  switch (reason) {
    case 'changed_later':
      return exists(
        `SELECT FROM audit_logs l JOIN audit_logs r USING (table_name, record_id)
         WHERE l.id = $1 AND r.request_id = $2 AND l.id > r.id AND l.request_id IS DISTINCT FROM $2
           AND table_name = $3 AND record_id = $4`,
        [laterAuditId, requestId, table, recordId],
      );
    case 'in_use':
      return exists(
        `SELECT FROM ${otherTable} o WHERE o.id = $1 AND o.${REFERENCES[table]} = $2 AND NOT EXISTS (
           SELECT FROM audit_logs a WHERE a.request_id = $3 AND a.action = 'INSERT' AND a.table_name = $4
             AND a.record_id = o.id)`,
        [otherRecordId, recordId, requestId, otherTable],
      );
    case 'value_taken':
      return exists(
        `SELECT FROM ${table} t, LATERAL (
           SELECT jsonb_object_agg(v.key, v.value) AS v FROM audit_logs a, jsonb_each(a.old_values) v
           WHERE a.request_id = $1 AND a.table_name = '${table}' AND a.record_id = $2) w
         WHERE t.user_id = $3 AND t.id <> $2 AND ${UNIQUE[constraint ?? ''] ?? 'false'}`,
        [requestId, recordId, userId],
      );
    case 'parent_gone':
      return exists(
        `SELECT FROM audit_logs a WHERE a.request_id = $1 AND a.table_name = $2 AND a.record_id = $3
           AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = (a.old_values ->> 'job_id')::bigint)
            OR a.request_id = $1 AND a.table_name = $2 AND a.record_id = $3
           AND NOT EXISTS (SELECT FROM webhooks w WHERE w.id = (a.old_values ->> 'webhook_id')::bigint)
            OR a.request_id = $1 AND a.table_name = $2 AND a.record_id = $3
           AND NOT EXISTS (SELECT FROM proposals p WHERE p.id = (a.old_values ->> 'proposal_id')::bigint)`,
        [requestId, table, recordId],
      );
    case 'redacted':
      return table === 'webhooks';
    case 'not_undoable':
      return ['messages', 'ai_budgets'].includes(table);
    default:
      return false;
  }
}
