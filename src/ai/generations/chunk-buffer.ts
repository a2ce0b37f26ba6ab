/** Part of a text and its sequence number, from 1. */
export interface Chunk {
  readonly seq: number;
  readonly text: string;
}

/**
 * Buffers the chunks of a text for any number of readers at their own pace. Chunks may be added out of order; readers
 * get each once, in order.
 */
export class ChunkBuffer {
  private readonly texts: string[] = [];
  private readonly outOfOrder = new Map<number, string>();
  private readonly waiters = new Set<() => void>();
  private isClosed = false;

  /** @param firstSeq number of chunks the readers already have */
  constructor(private readonly firstSeq = 0) {}

  /** Sequence number of the newest chunk. */
  get lastSeq(): number {
    return this.firstSeq + this.texts.length;
  }

  /** Adds a chunk; duplicates are ignored. */
  append(seq: number, text: string): void {
    if (seq <= this.lastSeq) return;
    this.outOfOrder.set(seq, text);
    for (
      let next = this.outOfOrder.get(this.lastSeq + 1);
      next !== undefined;
      next = this.outOfOrder.get(this.lastSeq + 1)
    ) {
      this.outOfOrder.delete(this.lastSeq + 1);
      this.texts.push(next);
    }
    this.wakeWaiters();
  }

  /** Ends the text: no more chunks follow. */
  close(): void {
    this.isClosed = true;
    this.wakeWaiters();
  }

  /** Text of all chunks. */
  get text(): string {
    return this.texts.join('');
  }

  /** Yields the chunks after `after` until the end, and null after each `silenceMs` without one. */
  async *follow(after: number, silenceMs: number): AsyncGenerator<Chunk | null> {
    let seq = Math.max(after, this.firstSeq);
    for (;;) {
      while (seq < this.lastSeq) {
        seq += 1;
        yield { seq, text: this.texts[seq - this.firstSeq - 1]! };
      }
      if (this.isClosed) return;
      if (!(await this.waitForChange(silenceMs)) && seq === this.lastSeq) yield null;
    }
  }

  private waitForChange(silenceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (): void => settle(true);
      const timer = setTimeout(() => settle(false), silenceMs);
      const settle = (hasChanged: boolean): void => {
        clearTimeout(timer);
        this.waiters.delete(wake);
        resolve(hasChanged);
      };
      this.waiters.add(wake);
    });
  }

  private wakeWaiters(): void {
    for (const wake of [...this.waiters]) wake();
  }
}
