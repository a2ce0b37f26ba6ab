/** Failures in a row after which the service is taken to be down. */
const FAILURE_THRESHOLD = 5;

/** How long it is then left alone; the first call after that is the probe. */
const OPEN_MS = 30_000;

/** Failures of some callers in a row. */
interface FailureCount {
  count: number;
  openUntil: number;
}

/**
 * Keeps callers from a service that is down: each would wait for its time limit, and the service needs its rest. It opens
 * for all when calls of several tenants failed and none succeeded meanwhile. Failures of one tenant alone may be the
 * tenant's own, so they open it for that tenant only.
 */
export class CircuitBreaker {
  private readonly failuresByTenant = new Map<number, FailureCount>();
  private readonly allFailures: FailureCount = { count: 0, openUntil: 0 };
  private readonly failingTenants = new Set<number>();

  /** Returns the milliseconds until a tenant may call; 0 is now. One caller at a time probes a service that was down. */
  getDelayMs(tenant: number): number {
    const tenantFailures = this.failuresByTenant.get(tenant);
    return Math.max(
      this.failingTenants.size > 1 ? takeDelay(this.allFailures) : 0,
      tenantFailures ? takeDelay(tenantFailures) : 0,
    );
  }

  /** Records an answer. Any answer shows that the service works. */
  recordSuccess(tenant: number): void {
    this.failuresByTenant.delete(tenant);
    this.failingTenants.clear();
    Object.assign(this.allFailures, { count: 0, openUntil: 0 });
  }

  /** Notes a call that failed on the way, or a 5xx. */
  recordFailure(tenant: number): void {
    let tenantFailures = this.failuresByTenant.get(tenant);
    if (!tenantFailures) this.failuresByTenant.set(tenant, (tenantFailures = { count: 0, openUntil: 0 }));
    this.failingTenants.add(tenant);
    addFailure(tenantFailures);
    addFailure(this.allFailures);
  }
}

function addFailure(failures: FailureCount): void {
  failures.count += 1;
  if (failures.count >= FAILURE_THRESHOLD) failures.openUntil = Date.now() + OPEN_MS;
}

function takeDelay(failures: FailureCount): number {
  const left = failures.openUntil - Date.now();
  if (left > 0) return left;
  if (failures.count >= FAILURE_THRESHOLD) failures.openUntil = Date.now() + OPEN_MS;
  return 0;
}
