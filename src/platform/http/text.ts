/** NUL cannot be stored as text by PostgreSQL; a lone surrogate has no UTF-8 and would silently become U+FFFD. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Whether a text holds what cannot be stored unchanged. */
export function isUnstorable(text: string): boolean {
  return UNSTORABLE.test(text);
}

/** Longest name that an error repeats. */
const MAX_SHOWN = 200;

/** Returns a text as an error shows it: cut where it is longer than a person reads. */
export function shown(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Returns one step of a JSON pointer; a very long name is cut. @see RFC 6901 section 3 */
export function pointerStep(key: string | number): string {
  return `/${shown(String(key)).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

/** Returns the number of code points, which is what PostgreSQL and JSON Schema call a text's length. */
export function codePointsIn(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const isPair = (text.charCodeAt(i - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(i) & 0xfc00) === 0xdc00;
    if (isPair) count -= 1;
  }
  return count;
}

/** Returns the first code points of a text, at most `max` of them. */
export function firstCodePoints(text: string, max: number): string {
  // No text has more code points than UTF-16 units, and none that is cut here needs more than two units each.
  return text.length <= max ? text : [...text.slice(0, 2 * max)].slice(0, max).join('');
}
