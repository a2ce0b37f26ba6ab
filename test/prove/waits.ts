/** How long calls took. */
export class Waits {
  private readonly took: number[] = [];

  /** Times one call; a failure is not counted. */
  async of<T>(call: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await call();
    this.took.push(performance.now() - began);
    return result;
  }

  get count(): number {
    return this.took.length;
  }

  get longestMs(): number {
    return rounded(this.took.reduce((most, ms) => Math.max(most, ms), 0));
  }

  /** The time that 99 of 100 calls stayed below. */
  get p99Ms(): number {
    const sorted = [...this.took].sort((a, b) => a - b);
    return rounded(sorted[Math.floor(sorted.length * 0.99)] ?? 0);
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
