import { currentContext, type RequestContext } from '../context/request-context';

/** The transaction-local settings that policies, audit triggers and `audit.record` read. */
const NAMES = ['user_id', 'actor_kind', 'actor_id', 'request_id', 'ip', 'operation', 'reason', 'audit_source'] as const;

/** Set here because PgBouncer rejects it as a connection parameter. */
const SET_TIMEOUT = `set_config('statement_timeout', $${NAMES.length + 1}, true)`;

/**
 * Sets them all in one statement. `true` limits each setting to the transaction, as PgBouncer's transaction mode needs.
 * Returns no columns, to save describing, sending and parsing them.
 */
export const SET_CONTEXT = setContext();

/** Also sets the plan mode for the rest of the transaction. */
export const SET_CONTEXT_AND_PLAN = {
  once: setContext(`, set_config('plan_cache_mode', 'force_generic_plan', true)`),
  eachTime: setContext(`, set_config('plan_cache_mode', 'force_custom_plan', true)`),
};

/** Switches the audit source inside a unit. */
export const SET_AUDIT_SOURCE = `SELECT set_config('app.audit_source', $1, true)`;

/** The writer of a statement's audit rows. An absent setting means the triggers. */
export type AuditSource = 'subscriber' | 'triggers';

/** The settings of a unit of work that do not come from the request. */
export interface TransactionSettings {
  /** The tenant; null for roles without one. */
  readonly userId: number | null;
  readonly reason: string | null;
  /** Longest run of one statement. The client waits two seconds longer for the answer. */
  readonly statementTimeoutMs: number;
}

/**
 * Returns the values of SET_CONTEXT for the current request, in its order. An unknown value is the empty string, which
 * `auth.uid()` and the audit functions read as absent.
 */
export function settingValues(
  settings: TransactionSettings,
  auditSource: AuditSource,
  statementTimeoutMs: number,
): string[] {
  const context: Partial<RequestContext> = currentContext() ?? {};
  const values = [
    settings.userId,
    context.actorKind ?? context.principal?.role,
    context.principal?.userId,
    context.requestId,
    context.ip,
    context.operation,
    settings.reason,
    auditSource,
    statementTimeoutMs,
  ];
  return values.map((value) => (value === null || value === undefined ? '' : String(value)));
}

function setContext(more = ''): string {
  const settings = NAMES.map((name, i) => `set_config('app.${name}', $${i + 1}, true)`).join(', ');
  return `SELECT FROM (SELECT ${settings}, ${SET_TIMEOUT}${more}) AS context`;
}
