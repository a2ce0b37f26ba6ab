import { AsyncLocalStorage } from 'node:async_hooks';

/** Who is signed in: a tenant, and the session he came with. */
export interface Principal {
  readonly userId: number;
  readonly role: 'user' | 'admin';
  readonly sessionId: string;
}

/** Who caused a change, as audit_logs.actor_kind names it; a change made without a context is the 'database' owner's. */
export type ActorKind = 'user' | 'admin' | 'task';

/**
 * What is known of the request, or of the run of a task, that the current code works for. It is created at the edge
 * (HTTP hook, task processor) and followed through every await; the data gate turns it into the transaction's settings.
 */
export interface RequestContext {
  readonly requestId: string;
  /** Normalised address of the client, null when unknown. */
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** What is being done, for the audit row: `POST /v1/jobs`, `task:refresh-job-stats`. */
  operation: string;
  principal?: Principal;
  /** Defaults to the principal's role; a task that works for a tenant sets 'task'. */
  actorKind?: ActorKind;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work`, and all it awaits, in `context`. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** The context of the running request or task; undefined outside of one. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}
