/** The storage of the decorators, which class-transformer publishes without a declaration file. */
declare module 'class-transformer/cjs/storage' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage';
}

/** A function of pg for custom query classes (such as pg-cursor), missing from its published types. */
declare module 'pg/lib/utils.js' {
  /** Converts a JavaScript value to the text or bytes of a parameter; null for null and undefined. */
  export function prepareValue(value: unknown): string | Buffer | null;
}
