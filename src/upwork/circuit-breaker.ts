import { Injectable } from '@nestjs/common';

/** Consecutive failures after which the service counts as down. */
const FAILURE_THRESHOLD = 5;

/** Pause without calls; the first call after it is a probe. */
const OPEN_MS = 30_000;

/** Consecutive failures, of one tenant or of all. */
interface FailureCount {
  count: number;
  openUntil: number;
}

/**
 * Blocks calls to a service that is down: each would wait for its timeout and add load. Opens for all tenants when
 * calls of several failed and none succeeded in between. Failures of one tenant may have a cause of their own, so they
 * open it for that tenant only.
 */
@Injectable()
export class CircuitBreaker {
  private readonly failuresByTenant = new Map<number, FailureCount>();
  private readonly allFailures: FailureCount = { count: 0, openUntil: 0 };
  private readonly failingTenants = new Set<number>();

  /**
   * Returns the milliseconds until a tenant may call; 0 means now. After a pause one caller at a time probes the
   * service.
   */
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

  /** Records a network failure or a 5xx answer. */
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
