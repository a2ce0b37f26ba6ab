import { currentContext, type RequestContext } from '../context/request-context';

/**
 * Sets the signed context and the timeout, which PgBouncer rejects as a connection parameter. `true` limits each
 * setting to the transaction, as PgBouncer's transaction mode needs. Returns no columns, to save describing, sending
 * and parsing them.
 */
export const SET_CONTEXT = setContext();

/** Also sets the plan mode for the rest of the transaction. */
export const SET_CONTEXT_AND_PLAN = {
  once: setContext(`, set_config('plan_cache_mode', 'force_generic_plan', true)`),
  eachTime: setContext(`, set_config('plan_cache_mode', 'force_custom_plan', true)`),
};

/** Sets another context inside a unit, to switch the audit source. */
export const REPLACE_CONTEXT = `SELECT set_config('app.context', $1, true)`;

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
 * Returns the fields of the current request's context, in the order of the views auth.context and audit.actor. An
 * unknown value is the empty string, which the views read as NULL.
 */
export function contextFields(settings: TransactionSettings, auditSource: AuditSource): string[] {
  const context: Partial<RequestContext> = currentContext() ?? {};
  return [
    ...actorFields(settings),
    auditSource,
    context.requestId ?? '',
    context.ip ?? '',
    context.operation ?? '',
    settings.reason ?? '',
  ];
}

/** Returns the first fields of the context, which are enough for a statement that writes nothing. */
export function actorFields({ userId }: TransactionSettings): string[] {
  const context: Partial<RequestContext> = currentContext() ?? {};
  const { principal } = context;
  const values = [userId, context.actorKind ?? principal?.role, principal?.userId];
  return values.map((value) => (value === null || value === undefined ? '' : String(value)));
}

function setContext(more = ''): string {
  const settings = `set_config('app.context', $1, true), set_config('statement_timeout', $2, true)${more}`;
  return `SELECT FROM (SELECT ${settings}) AS context`;
}
