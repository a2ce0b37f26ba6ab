/** A function of pg for custom query classes (such as pg-cursor), missing from its published types. */
declare module 'pg/lib/utils.js' {
  /** Converts a JavaScript value to the text or bytes of a parameter; null for null and undefined. */
  export function prepareValue(value: unknown): string | Buffer | null;
}
