/**
 * Marks a promise as handled, and returns it: its error still reaches those who await it, but is nobody's unhandled
 * rejection, which would end the process.
 */
export function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
