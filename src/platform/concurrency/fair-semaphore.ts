import { AppError } from '../errors/app-error';

/** The limits of a shared resource, per key and for all keys. Absent limits do not apply. */
export interface FairLimits {
  /** Name of the resource in the error: `imports`. */
  readonly resource: string;
  /** Maximum running at once for one key. */
  readonly perKey: number;
  /** Maximum running at once for all keys. */
  readonly total?: number;
  /** Maximum waiting at once for one key. */
  readonly maxWaitingPerKey?: number;
  /** Maximum waiting at once for all keys. */
  readonly maxWaiting?: number;
  /** Longest wait for a slot. */
  readonly maxWaitMs?: number;
  /** Retry-After of a rejected caller; 2 by default. */
  readonly retryAfterSeconds?: number;
}

/** The work of one key; removed when it is empty. */
interface Lane {
  running: number;
  readonly queue: (() => void)[];
}

/**
 * Shares a resource of this process between keys (tenants, addresses). The work of each key is limited, and waiting
 * keys are served in turn. A key's backlog delays others only by the work that already runs. p-limit and async-mutex
 * serve all callers from one queue and reject none.
 */
export class FairSemaphore<Key extends string | number = number> {
  /** In the order of service: a served lane moves to the end. */
  private readonly lanes = new Map<Key, Lane>();
  private running = 0;
  private waiting = 0;

  constructor(private readonly limits: FairLimits) {}

  /**
   * Runs `work` when a slot is free.
   * @throws AppError `rate.too_many_at_once` with Retry-After: at once when too much waits already, or after
   *   `maxWaitMs`
   */
  async run<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const release = await this.acquire(key);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /**
   * Acquires a slot and returns the function that releases it; a second call of that does nothing.
   * @throws AppError `rate.too_many_at_once` with Retry-After: at once when too much waits already, or after
   *   `maxWaitMs`
   */
  async acquire(key: Key): Promise<() => void> {
    const lane = this.getLane(key);
    if (this.hasRoom(lane)) {
      this.start(lane);
    } else {
      this.assertMayWait(key, lane);
      this.waiting += 1;
      // The releasing caller starts this one, so the counts never drop in between.
      await this.waitForSlot(key, lane);
    }
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.release(key, lane);
    };
  }

  private waitForSlot(key: Key, lane: Lane): Promise<void> {
    const { maxWaitMs } = this.limits;
    return new Promise((resolve, reject) => {
      const start = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const abort = (): void => {
        lane.queue.splice(lane.queue.indexOf(start), 1);
        this.waiting -= 1;
        this.forgetIfIdle(key, lane);
        reject(this.refusal());
      };
      const timer = maxWaitMs === undefined ? undefined : setTimeout(abort, maxWaitMs);
      lane.queue.push(start);
    });
  }

  private getLane(key: Key): Lane {
    let lane = this.lanes.get(key);
    if (!lane) this.lanes.set(key, (lane = { running: 0, queue: [] }));
    return lane;
  }

  private hasRoom(lane: Lane): boolean {
    const { perKey, total = Infinity } = this.limits;
    return lane.running < perKey && this.running < total;
  }

  private start(lane: Lane): void {
    lane.running += 1;
    this.running += 1;
  }

  private assertMayWait(key: Key, lane: Lane): void {
    const { maxWaitingPerKey = Infinity, maxWaiting = Infinity } = this.limits;
    if (lane.queue.length < maxWaitingPerKey && this.waiting < maxWaiting) return;
    this.forgetIfIdle(key, lane);
    throw this.refusal();
  }

  private refusal(): AppError {
    const { resource, retryAfterSeconds = 2 } = this.limits;
    return new AppError('rate.too_many_at_once', {
      detail: `Too many ${resource} at once. Try again in ${retryAfterSeconds} s.`,
      headers: { 'retry-after': String(retryAfterSeconds) },
    });
  }

  private release(key: Key, lane: Lane): void {
    lane.running -= 1;
    this.running -= 1;
    this.forgetIfIdle(key, lane);
    this.startNext();
  }

  private startNext(): void {
    for (const [key, lane] of this.lanes) {
      if (lane.queue.length === 0 || !this.hasRoom(lane)) continue;
      this.waiting -= 1;
      this.start(lane);
      this.lanes.delete(key);
      this.lanes.set(key, lane);
      lane.queue.shift()!();
      return;
    }
  }

  private forgetIfIdle(key: Key, lane: Lane): void {
    if (lane.running === 0 && lane.queue.length === 0) this.lanes.delete(key);
  }
}

/**
 * Marks a promise as handled and returns it. Its error still reaches every awaiting caller, but is never an unhandled
 * rejection, which would end the process.
 */
export function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
