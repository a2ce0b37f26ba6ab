import { AppError } from '../errors/app-error';

/** How much of a shared resource one key may take, and all keys together. Absent limits do not apply. */
export interface FairLimits {
  /** The resource, as the caller reads it in the error: `imports`. */
  readonly resource: string;
  /** Running at once for one key. */
  readonly perKey: number;
  /** Running at once for all keys. */
  readonly total?: number;
  /** Waiting at once for one key. */
  readonly maxWaitingPerKey?: number;
  /** Waiting at once for all keys. */
  readonly maxWaiting?: number;
  /** Longest wait for a place. */
  readonly maxWaitMs?: number;
  /** Seconds after which a refused caller should try again; 2 by default. */
  readonly retryAfterSeconds?: number;
}

/** The work of one key. A lane without work is forgotten. */
interface Lane {
  running: number;
  readonly queue: (() => void)[];
}

/**
 * Divides a resource of this process between keys (tenants, addresses): each key runs a bounded number at once, and keys
 * that wait take turns, so that one key's backlog delays nobody else by more than the work that runs already.
 */
export class FairSemaphore<Key extends string | number = number> {
  /** In the order of their turns: a lane that was served moves to the end. */
  private readonly lanes = new Map<Key, Lane>();
  private running = 0;
  private waiting = 0;

  constructor(private readonly limits: FairLimits) {}

  /**
   * Runs `work` when the key and the resource have room.
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
   * Takes one place and returns the function that gives it back; calling that twice does nothing.
   * @throws AppError `rate.too_many_at_once` with Retry-After: at once when too much waits already, or after
   *   `maxWaitMs`
   */
  async acquire(key: Key): Promise<() => void> {
    const lane = this.laneOf(key);
    if (this.hasRoom(lane)) {
      this.start(lane);
    } else {
      this.assertMayWait(key, lane);
      this.waiting += 1;
      // The one that gives its place back starts this one, so the counts never drop in between.
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
      const giveUp = (): void => {
        lane.queue.splice(lane.queue.indexOf(start), 1);
        this.waiting -= 1;
        this.forgetIfIdle(key, lane);
        reject(this.refusal());
      };
      const timer = maxWaitMs === undefined ? undefined : setTimeout(giveUp, maxWaitMs);
      lane.queue.push(start);
    });
  }

  private laneOf(key: Key): Lane {
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
