/**
 * Marks a promise as handled and returns it. Its error still reaches every awaiting caller, but is never an unhandled
 * rejection, which would end the process.
 */
export function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
