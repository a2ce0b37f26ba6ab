/** The pool takes no more work now. */
export class PoolFullError extends Error {
  constructor(readonly waiting: number) {
    super(`${waiting} pieces of work wait already`);
    this.name = PoolFullError.name;
  }
}

/** Runs at most `width` pieces of work at once and lets at most `depth` wait, first come first served. */
export class BoundedPool {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly width: number,
    private readonly depth: number,
  ) {}

  /**
   * Runs `work` when its turn comes.
   * @throws PoolFullError at once when `depth` wait already
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.width) this.running += 1;
    else {
      if (this.waiting.length >= this.depth) throw new PoolFullError(this.waiting.length);
      // The place of the one that ends is handed over, so `running` stays.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
