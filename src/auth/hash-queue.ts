import { availableParallelism } from 'node:os';
import { currentContext } from '../platform/context/request-context';
import { FairSemaphore } from '../platform/concurrency/fair-semaphore';
import { networkOf } from '../platform/http/client-address';

const RESOURCE = 'sign-ins';

/** About how long a full queue takes to drain at cost 12. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Divides the hashing of passwords: one hash of an account and two of a client address at a time, addresses in turn.
 * Right passwords count like wrong ones, so signing in over and over delays nobody else.
 */
export class HashQueue {
  /** As many wait as an account has free tries, so that an owner is not refused before the throttle would refuse. */
  private readonly accounts = new FairSemaphore<string>({
    resource: RESOURCE,
    perKey: 1,
    maxWaitingPerKey: 15,
    maxWaiting: 2_048,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

  /** bcrypt runs beside the event loop but takes whole cores: one stays free. One address cannot fill the queue. */
  private readonly addresses = new FairSemaphore<string>({
    resource: RESOURCE,
    perKey: 2,
    total: Math.max(1, availableParallelism() - 1),
    maxWaitingPerKey: 32,
    maxWaiting: 2_048,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

  /**
   * Runs a hash when it is the turn of its account and of the request's address.
   * @param account what names the account; absent when no account is concerned yet
   * @throws AppError `rate.too_many_at_once` with Retry-After, at once, when too much waits already
   */
  run<T>(account: string | undefined, hash: () => Promise<T>): Promise<T> {
    const inTurn = (): Promise<T> => this.addresses.run(networkOf(currentContext()?.ip ?? null), hash);
    return account === undefined ? inTurn() : this.accounts.run(account, inTurn);
  }
}
