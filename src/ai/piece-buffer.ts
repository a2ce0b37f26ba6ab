/** A piece of a text and its place in it, from 1. */
export interface Piece {
  readonly seq: number;
  readonly text: string;
}

/**
 * The pieces of a text as they come, each once and in order whatever order they are added in, for any number of readers
 * that follow at their own pace.
 */
export class PieceBuffer {
  private readonly texts: string[] = [];
  private readonly ahead = new Map<number, string>();
  private readonly waiting = new Set<() => void>();
  private over = false;

  /** @param first how many pieces its readers have already */
  constructor(private readonly first = 0) {}

  /** The number of the newest piece. */
  get last(): number {
    return this.first + this.texts.length;
  }

  /** Adds a piece; one it has is nothing new. */
  add(seq: number, text: string): void {
    if (seq <= this.last) return;
    this.ahead.set(seq, text);
    for (let next = this.ahead.get(this.last + 1); next !== undefined; next = this.ahead.get(this.last + 1)) {
      this.ahead.delete(this.last + 1);
      this.texts.push(next);
    }
    this.wake();
  }

  /** Says that no more will come. */
  close(): void {
    this.over = true;
    this.wake();
  }

  /** The whole text. */
  get text(): string {
    return this.texts.join('');
  }

  /** Yields the pieces behind `after` until the end; null whenever `silenceMs` pass without one. */
  async *follow(after: number, silenceMs: number): AsyncGenerator<Piece | null> {
    let seq = Math.max(after, this.first);
    for (;;) {
      while (seq < this.last) {
        seq += 1;
        yield { seq, text: this.texts[seq - this.first - 1]! };
      }
      if (this.over) return;
      if (!(await this.changed(silenceMs)) && seq === this.last) yield null;
    }
  }

  private changed(silenceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (): void => settle(true);
      const timer = setTimeout(() => settle(false), silenceMs);
      const settle = (isNews: boolean): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve(isNews);
      };
      this.waiting.add(wake);
    });
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake();
  }
}
