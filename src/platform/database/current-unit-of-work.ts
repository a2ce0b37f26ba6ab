import { currentContext, runInContext, type RequestContext } from '../context/request-context';
import type { UnitOfWork } from './unit-of-work';

const openUnits = new WeakMap<RequestContext, UnitOfWork>();

/** Returns the open unit of work that every use of `Database` in the running code joins; undefined when there is none. */
export function currentUnitOfWork(): UnitOfWork | undefined {
  const context = currentContext();
  return context && openUnits.get(context);
}

/**
 * Runs `work` so that every use of `Database` in it, and in what it awaits, joins the open unit. Whoever opened the unit
 * ends it. Idempotent requests and imports store their answer in the same transaction this way.
 * @throws Error outside of a request or task
 */
export function joinUnitOfWork<T>(unit: UnitOfWork, work: () => Promise<T>): Promise<T> {
  const context = currentContext();
  if (!context) throw new Error('a unit of work is joined within a request or a task only');
  const joined = { ...context };
  openUnits.set(joined, unit);
  return runInContext(joined, work);
}
