import { Logger } from '@nestjs/common';
import { KeyRefused, KeyServiceUnavailable } from './key-service';

/** Pause after a failure, in which calls fail at once instead of waiting for their time limit. */
const RETRY_PAUSE_MS = 1_000;

/** Time without a call after which the state of a key is not known any more. */
const STATE_AGE_MS = 30_000;

/** The fault of a key: why it cannot be used, and since when. */
export interface KeyFault {
  readonly reason: string;
  readonly since: Date;
}

/**
 * Runs the calls for one key and remembers its fault. While its service is unavailable, one call a second tries it; the
 * others fail at once, so that they do not hold connections of the database until the time limit.
 */
export class KeyMonitor {
  private readonly logger = new Logger(KeyMonitor.name);
  private failure: KeyFault | undefined;
  private calledAt = 0;
  /** The time of the next call; 0 unless the service is unavailable. */
  private retryAt = 0;

  constructor(private readonly keyId: string) {}

  /** The current fault; undefined after a successful call. */
  get fault(): KeyFault | undefined {
    return this.failure;
  }

  /** True when the last call was long ago or failed. */
  get isOutdated(): boolean {
    return this.failure !== undefined || Date.now() - this.calledAt > STATE_AGE_MS;
  }

  /** Runs a call. @throws KeyServiceUnavailable also during the pause after a failure */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const now = Date.now();
    if (this.failure && now < this.retryAt) throw new KeyServiceUnavailable(this.failure.reason);
    if (this.retryAt > 0) this.retryAt = now + RETRY_PAUSE_MS;
    try {
      const result = await call();
      this.recordSuccess();
      return result;
    } catch (error) {
      // A refusal arrives at once, so the next call may ask again.
      if (error instanceof KeyRefused) this.recordFailure(error.reason);
      else if (error instanceof KeyServiceUnavailable) this.recordFailure(error.reason, RETRY_PAUSE_MS);
      throw error;
    }
  }

  private recordSuccess(): void {
    if (this.failure) this.logger.log(`the master key ${this.keyId} can be used again`);
    this.failure = undefined;
    this.calledAt = Date.now();
    this.retryAt = 0;
  }

  private recordFailure(reason: string, pauseMs?: number): void {
    if (reason !== this.failure?.reason) this.logger.warn(`the master key ${this.keyId} cannot be used: ${reason}`);
    this.failure = { reason, since: this.failure?.since ?? new Date() };
    this.calledAt = Date.now();
    this.retryAt = pauseMs === undefined ? 0 : this.calledAt + pauseMs;
  }
}
