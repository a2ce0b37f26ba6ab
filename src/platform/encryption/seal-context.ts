/**
 * Where a sealed value lives. All of it is authenticated with the ciphertext, so that a value copied to another table,
 * column, user or row does not open.
 */
export interface SealContext {
  readonly table: string;
  readonly column: string;
  /** The tenant the value belongs to, null for values of nobody. */
  readonly userId: number | null;
  /** A uuid the application makes before it writes the row and stores beside the value: the row's id is not known yet. */
  readonly sealKey: string;
}
