/** Returns the value below which this share of sorted values lies. */
export function computePercentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** A median with the minimum and maximum, and the bounds of the middle half. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly lower: number;
  readonly upper: number;
}

/** Returns the median and the spread of values from several rounds; undefined without a value. */
export function computeSpread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return {
    median,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    lower: computePercentile(sorted, 0.25),
    upper: computePercentile(sorted, 0.75),
  };
}
