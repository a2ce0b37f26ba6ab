/** Durations of calls. */
export class Latencies {
  private readonly durationsMs: number[] = [];

  /** Times one call; a failure is not counted. */
  async measure<T>(call: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await call();
    this.durationsMs.push(performance.now() - began);
    return result;
  }

  get count(): number {
    return this.durationsMs.length;
  }

  get longestMs(): number {
    return round(this.durationsMs.reduce((most, ms) => Math.max(most, ms), 0));
  }

  /** Returns the 99th percentile. */
  get p99Ms(): number {
    const sorted = [...this.durationsMs].sort((a, b) => a - b);
    return round(sorted[Math.floor(sorted.length * 0.99)] ?? 0);
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
