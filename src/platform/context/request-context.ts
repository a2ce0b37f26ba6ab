import { AsyncLocalStorage } from 'node:async_hooks';

/** The signed-in user and their session. */
export interface Principal {
  readonly userId: number;
  readonly role: 'user' | 'admin';
  readonly sessionId: string;
  /** True when the account has a second factor. */
  readonly hasMfa?: boolean;
  /** End of the last re-authentication, in milliseconds since 1970; absent without one. */
  readonly recentAuthUntil?: number;
}

/** The kind of actor of a change, as in audit_logs.actor_kind; a change without a context is 'database'. */
export type ActorKind = 'user' | 'admin' | 'task';

/**
 * The context of the current request or task run. An HTTP hook or the task runner creates it; it is available across
 * every await. `Database` puts it into the transaction's settings.
 */
export interface RequestContext {
  readonly requestId: string;
  /** Normalized address of the client; null when unknown. */
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** The operation, for the audit row: `POST /v1/jobs`, `task:refresh-job-stats`. */
  operation: string;
  principal?: Principal;
  /** By default the principal's role; a task that works for a tenant sets 'task'. */
  actorKind?: ActorKind;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work`, and everything it awaits, in `context`. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** Returns the context of the running request or task; undefined outside of one. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}
