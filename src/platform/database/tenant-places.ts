import { FairSemaphore } from '../concurrency/fair-semaphore';
import { currentContext, type RequestContext } from '../context/request-context';

/** Share of the pool's connections that one tenant may hold. */
const SHARE = 0.4;

/** Requests of one tenant that may wait for a connection. */
const MAX_WAITING_PER_TENANT = 100;

/**
 * Divides the connections of the app's pool between tenants, so that one tenant's slow requests leave some to the
 * others.
 */
export class TenantPlaces {
  private readonly places: FairSemaphore;
  /** Places that each request holds. */
  private readonly held = new WeakMap<RequestContext, number>();

  constructor(poolSize: number, maxWaitMs: number) {
    this.places = new FairSemaphore({
      resource: 'requests',
      perKey: Math.ceil(poolSize * SHARE),
      maxWaitingPerKey: MAX_WAITING_PER_TENANT,
      maxWaitMs,
    });
  }

  /**
   * Waits until the tenant may take a connection, and returns the function that gives the place back. A request that
   * holds a place gets another at once: if it waited, requests that hold all places could wait for each other.
   * @throws AppError `rate.too_many_at_once`
   */
  async take(userId: number): Promise<() => void> {
    const context = currentContext();
    if (context !== undefined && this.held.has(context)) return () => undefined;
    const release = await this.places.acquire(userId);
    if (context === undefined) return release;
    this.count(context, 1);
    return () => {
      this.count(context, -1);
      release();
    };
  }

  private count(context: RequestContext, change: 1 | -1): void {
    const held = (this.held.get(context) ?? 0) + change;
    if (held > 0) this.held.set(context, held);
    else this.held.delete(context);
  }
}
