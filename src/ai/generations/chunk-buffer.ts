/** A piece of a text and its place in it, from 1. */
export interface Chunk {
  readonly seq: number;
  readonly text: string;
}

/**
 * The pieces of a text as they come, each once and in order whatever order they are added in, for any number of readers
 * that follow at their own pace.
 */
export class ChunkBuffer {
  private readonly texts: string[] = [];
  private readonly outOfOrder = new Map<number, string>();
  private readonly waiters = new Set<() => void>();
  private isClosed = false;

  /** @param firstSeq how many pieces its readers have already */
  constructor(private readonly firstSeq = 0) {}

  /** The number of the newest piece. */
  get lastSeq(): number {
    return this.firstSeq + this.texts.length;
  }

  /** Adds a piece; one it has is nothing new. */
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

  /** Says that no more will come. */
  close(): void {
    this.isClosed = true;
    this.wakeWaiters();
  }

  /** The whole text. */
  get text(): string {
    return this.texts.join('');
  }

  /** Yields the pieces behind `after` until the end; null whenever `silenceMs` pass without one. */
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
