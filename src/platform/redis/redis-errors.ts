/**
 * Redis's own words for a state that passes: out of memory, a replica after a failover, too few replicas, loading its
 * file, a cluster or a master that is away, a snapshot that could not be written, a script that takes too long. An older
 * Redis wraps them into the error of a script.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const UNAVAILABLE_REPLY =
  /(?:^|[\s-])(?:OOM|READONLY|NOREPLICAS|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|BUSY) /;

/** What ioredis says when a command was not answered, or not sent. */
const UNAVAILABLE_CONNECTION =
  /^(?:Command timed out|Connection is closed\.|Stream isn't writeable|Reached the max retries per request limit)/;

/** Names of errors by which ioredis rejects what a lost connection or transaction leaves unanswered. */
const UNAVAILABLE_NAMES = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError']);

/** Returns true for an error that says that Redis cannot serve now, though the same command may succeed soon. */
export function isRedisUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') {
    const { previousErrors = [] } = error as { previousErrors?: readonly Error[] };
    return (
      UNAVAILABLE_REPLY.test(error.message) || previousErrors.some(({ message }) => UNAVAILABLE_REPLY.test(message))
    );
  }
  return UNAVAILABLE_NAMES.has(error.name) || UNAVAILABLE_CONNECTION.test(error.message);
}
