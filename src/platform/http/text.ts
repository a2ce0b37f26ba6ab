/** NUL cannot be stored as text by PostgreSQL; a lone surrogate has no UTF-8 and would silently become U+FFFD. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Whether a text holds what cannot be stored unchanged. */
export function isUnstorable(text: string): boolean {
  return UNSTORABLE.test(text);
}

/** One step of a JSON pointer. @see RFC 6901 section 3 */
export function pointerStep(key: string | number): string {
  return `/${String(key).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}
