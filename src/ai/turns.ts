/**
 * Lets work with the same key run one after the other, in this process. A user's budget is one row: calls of his that came
 * at once would otherwise take every connection of the pool to wait for each other on it, and other users with them.
 */
export class Turns {
  private readonly last = new Map<number, Promise<unknown>>();

  /** Runs `work` when all earlier work of the key is over, however that ended. */
  take<T>(key: number, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.last.set(key, settled);
    void settled.then(() => this.last.get(key) === settled && this.last.delete(key));
    return turn;
  }
}
