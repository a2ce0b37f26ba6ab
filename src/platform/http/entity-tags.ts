/** One ETag of a header. */
interface EntityTag {
  readonly isWeak: boolean;
  /** What is between the quotes. */
  readonly value: string;
}

/** @see RFC 9110 section 8.8.3 */
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** Returns whether the header is `*`, which any existing resource matches. */
export function isAny(header: string): boolean {
  return header.trim() === '*';
}

/** Returns whether the list of ETags holds one that is strongly the same: neither is weak. @see RFC 9110 section 8.8.3.2 */
export function listsStrongly(header: string, value: string): boolean {
  return tagsOf(header).some((tag) => !tag.isWeak && tag.value === value);
}

/** Returns whether the list of ETags holds one that is weakly the same: `W/"3"` is `"3"`. */
export function listsWeakly(header: string, value: string): boolean {
  return tagsOf(header).some((tag) => tag.value === value);
}

/** Returns whether the header holds an ETag at all. */
export function hasTags(header: string): boolean {
  return isAny(header) || tagsOf(header).length > 0;
}

function tagsOf(header: string): EntityTag[] {
  return [...header.matchAll(ENTITY_TAG)].map(([, weak, value = '']) => ({ isWeak: weak !== undefined, value }));
}
