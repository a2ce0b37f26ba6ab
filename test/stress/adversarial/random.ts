/** Pseudo-random choices that depend only on their start value (mulberry32). */
export class Random {
  private state: number;

  /** @param seed texts with different content give different choices */
  constructor(seed: string) {
    // FNV-1a
    this.state = [...seed].reduce((hash, char) => Math.imul(hash ^ char.codePointAt(0)!, 0x01000193), 0x811c9dc5);
  }

  /** Returns a number from 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer from 0 to below `below`. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Returns one of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }

  /** Returns true with this probability. */
  isChance(probability: number): boolean {
    return this.next() < probability;
  }
}
