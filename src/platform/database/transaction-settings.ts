import { currentContext, type RequestContext } from '../context/request-context';

/** The transaction-local settings that policies, audit triggers and `audit.record` read. */
const NAMES = ['user_id', 'actor_kind', 'actor_id', 'request_id', 'ip', 'operation', 'reason', 'audit_source'] as const;

/** Set here because PgBouncer refuses it as a parameter of the connection. */
const SET_TIMEOUT = `set_config('statement_timeout', $${NAMES.length + 1}, true)`;

/**
 * One statement that sets them all; `true` makes each end with its transaction, as PgBouncer's transaction mode needs. It
 * answers no column: what set_config returns would be described, sent and parsed for nobody.
 */
export const SET_CONTEXT = setContext();

/** The same, and what runs behind it in the transaction is planned so. */
export const SET_CONTEXT_AND_PLAN = {
  once: setContext(`, set_config('plan_cache_mode', 'force_generic_plan', true)`),
  eachTime: setContext(`, set_config('plan_cache_mode', 'force_custom_plan', true)`),
};

/** Moves the pen between the two ways of auditing inside one unit: 'subscriber' or 'triggers'. */
export const SET_AUDIT_SOURCE = `SELECT set_config('app.audit_source', $1, true)`;

/** Who writes the audit rows of a statement: the subscriber or the triggers. An absent setting means the triggers. */
export type AuditSource = 'subscriber' | 'triggers';

/** What a unit of work tells PostgreSQL about itself. */
export interface TransactionSettings {
  /** The tenant; null for units of the roles that have none. */
  readonly userId: number | null;
  readonly reason: string | null;
  /** Longest run of one statement; the client waits for its answer two seconds longer. */
  readonly statementTimeoutMs: number;
}

/**
 * The values of SET_CONTEXT for the current request, in its order; what is unknown is the empty string, which
 * `auth.uid()` and the audit functions read as none.
 */
export function settingValues(settings: TransactionSettings, pen: AuditSource, statementTimeoutMs: number): string[] {
  const context: Partial<RequestContext> = currentContext() ?? {};
  const values = [
    settings.userId,
    context.actorKind ?? context.principal?.role,
    context.principal?.userId,
    context.requestId,
    context.ip,
    context.operation,
    settings.reason,
    pen,
    statementTimeoutMs,
  ];
  return values.map((value) => (value === null || value === undefined ? '' : String(value)));
}

function setContext(more = ''): string {
  const settings = NAMES.map((name, i) => `set_config('app.${name}', $${i + 1}, true)`).join(', ');
  return `SELECT FROM (SELECT ${settings}, ${SET_TIMEOUT}${more}) AS context`;
}
