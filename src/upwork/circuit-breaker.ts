/** Failures in a row after which a service is taken to be down. */
const THRESHOLD = 5;

/** How long it is then left alone; the first call after that is the probe. */
const REST_MS = 30_000;

/** Keeps callers from a service that is down: each would wait for its time limit, and the service for its peace. */
export class CircuitBreaker {
  private failures = 0;
  private restsUntil = 0;

  /** Milliseconds until the service may be called; 0 is now. One caller at a time probes a service that was down. */
  get restMs(): number {
    const left = this.restsUntil - Date.now();
    if (left > 0) return left;
    if (this.failures >= THRESHOLD) this.restsUntil = Date.now() + REST_MS;
    return 0;
  }

  succeeded(): void {
    this.failures = 0;
    this.restsUntil = 0;
  }

  failed(): void {
    this.failures += 1;
    if (this.failures >= THRESHOLD) this.restsUntil = Date.now() + REST_MS;
  }
}
