/** What pg offers to query classes besides its own (pg-cursor is one) and its published types leave out. */
declare module 'pg/lib/utils.js' {
  /** A JavaScript value as the text or the bytes of a parameter; null for null and undefined. */
  export function prepareValue(value: unknown): string | Buffer | null;
}
