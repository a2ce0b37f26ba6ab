/** Placeholder for removed parts of untrusted text; the system prompt explains it to the model. */
export const REMOVED_MARK = '[removed]';

/** Top-level domains that make a host without a scheme a link. `js` and `py` are excluded: Node.js is a name. */
const TOP_LEVEL_DOMAINS = new Set(
  'com net org io ai dev app co me info biz xyz ru ua cn tk ly sh gg site online top link'.split(' '),
);

/** Label and target exclude the characters that begin a link, so no part is scanned twice. `list[0](x)` is code. */
const MARKDOWN_LINK = /(?<![\p{L}\p{N}_\])])!?\[([^[\]\n]*)\]\([^()[\]\n]*\)/gu;

/** Addresses with a scheme, and www. hosts. */
const ADDRESSES = [
  /\b(?:[a-z][a-z0-9+.-]{1,15}:\/\/|www\.)[^\s<>"'`]+/giu,
  /\b(?:javascript:|mailto:|tel:\+?\d|file:\/|data:(?:[a-z]+\/|[,;]))[^\s<>"'`]+/giu,
];

/** Word of characters that hosts, paths and email addresses use; `removeHost` decides whether it is a link. */
const WORD = /(?<![^\s<>"'`()[\]{},;|])[^\s<>"'`()[\]{},;|]+/gu;

/** Words that turn a following lower-case host into a link. */
const VISIT_PHRASE = /\b(?:visit|fetch|browse|curl|wget|navigate to|go to|see|website|site|url)\b[^.!?]{0,12}$/iu;

/** Characters before a word that are searched for `VISIT_PHRASE`. */
const VISIT_PHRASE_DISTANCE = 30;

/** Patterns of this file, for the running time test. */
export const LINK_PATTERNS: readonly RegExp[] = [MARKDOWN_LINK, ...ADDRESSES, WORD, VISIT_PHRASE];

/**
 * Replaces links, email addresses and hosts with `REMOVED_MARK`. Names of tools that look like hosts stay: ASP.NET,
 * Socket.io, Make.com. A host is a link when it has a path, a query or a third label. It is also a link when the words
 * before it say to go there.
 */
export function removeLinks(text: string): string {
  let plain = text.replace(MARKDOWN_LINK, `$1 ${REMOVED_MARK}`);
  for (const address of ADDRESSES) plain = plain.replace(address, REMOVED_MARK);
  return plain.replace(WORD, (word, at: number) => {
    if (!word.includes('.')) return word;
    return removeHost(word, VISIT_PHRASE.test(plain.slice(Math.max(0, at - VISIT_PHRASE_DISTANCE), at)));
  });
}

/** Removes the first part of a word that is a link and everything after it. `React/Socket.io` is a list of names. */
function removeHost(word: string, isPlaceToGo: boolean): string {
  const end = word.length - (/[.!?:*]{0,8}$/.exec(word)?.[0].length ?? 0);
  const parts = word.slice(0, end).split('/');
  const first = parts.findIndex((part, i) => isLink(part, parts.slice(i + 1), isPlaceToGo));
  return first === -1 ? word : [...parts.slice(0, first), REMOVED_MARK].join('/') + word.slice(end);
}

function isLink(part: string, path: readonly string[], isPlaceToGo: boolean): boolean {
  const [beforeQuery = '', ...query] = part.split('?');
  const [host = '', ...rest] = beforeQuery.split('@').reverse();
  const labels = host.replace(/:\d{1,5}$/, '').split('.');
  if (labels.length < 2 || labels.some((label) => !/^(?:[\w-]|\u200c|\u200d)+$/.test(label))) return false;
  if (rest.some((user) => user !== '')) return true;
  if (query.length > 0 || path.some((step) => /[?=&]/.test(step))) return true;
  if (!TOP_LEVEL_DOMAINS.has(labels.at(-1)!.toLowerCase())) return false;
  if (labels.length > 2 || host.includes('xn--')) return true;
  // Hosts in links are lower case; product names nearly always have a capital.
  const isName = /[A-Z]/.test(host);
  return !isName && (isPlaceToGo || path.some((step) => step !== ''));
}
