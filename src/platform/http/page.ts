/** One page of a list; `nextCursor` is null at its end. */
export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}
