import { currentContext, runInContext, type RequestContext } from '../context/request-context';
import type { UnitOfWork } from './unit-of-work';

const openUnits = new WeakMap<RequestContext, UnitOfWork>();

/** Returns the open unit of work that calls of `Database` join; undefined when there is none. */
export function currentUnitOfWork(): UnitOfWork | undefined {
  const context = currentContext();
  return context && openUnits.get(context);
}

/**
 * Runs `work` and lets every call of `Database` in it join the open unit. The code that opened the unit ends it.
 * Idempotent requests and imports use this to store their answer in the same transaction.
 * @throws Error outside a request or task
 */
export function joinUnitOfWork<T>(unit: UnitOfWork, work: () => Promise<T>): Promise<T> {
  const context = currentContext();
  if (!context) throw new Error('a unit of work can be joined only inside a request or a task');
  const joined = { ...context };
  openUnits.set(joined, unit);
  return runInContext(joined, work);
}
