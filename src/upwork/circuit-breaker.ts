/** Failures in a row after which the service is taken to be down. */
const THRESHOLD = 5;

/** How long it is then left alone; the first call after that is the probe. */
const REST_MS = 30_000;

/** Failures of some callers in a row. */
interface Failures {
  count: number;
  restsUntil: number;
}

/**
 * Keeps callers from a service that is down: each would wait for its time limit, and the service needs its rest. It opens
 * for all when calls of several tenants failed and none succeeded meanwhile. Failures of one tenant alone may be the
 * tenant's own, so they open it for that tenant only.
 */
export class CircuitBreaker {
  private readonly ofTenant = new Map<number, Failures>();
  private readonly ofAll: Failures = { count: 0, restsUntil: 0 };
  private readonly failing = new Set<number>();

  /** Returns the milliseconds until a tenant may call; 0 is now. One caller at a time probes a service that was down. */
  restMs(tenant: number): number {
    const own = this.ofTenant.get(tenant);
    return Math.max(this.failing.size > 1 ? restOf(this.ofAll) : 0, own ? restOf(own) : 0);
  }

  /** Records an answer. Any answer shows that the service works. */
  answered(tenant: number): void {
    this.ofTenant.delete(tenant);
    this.failing.clear();
    Object.assign(this.ofAll, { count: 0, restsUntil: 0 });
  }

  /** Notes a call that failed on the way, or a 5xx. */
  failed(tenant: number): void {
    let own = this.ofTenant.get(tenant);
    if (!own) this.ofTenant.set(tenant, (own = { count: 0, restsUntil: 0 }));
    this.failing.add(tenant);
    note(own);
    note(this.ofAll);
  }
}

function note(failures: Failures): void {
  failures.count += 1;
  if (failures.count >= THRESHOLD) failures.restsUntil = Date.now() + REST_MS;
}

function restOf(failures: Failures): number {
  const left = failures.restsUntil - Date.now();
  if (left > 0) return left;
  if (failures.count >= THRESHOLD) failures.restsUntil = Date.now() + REST_MS;
  return 0;
}
