/** The mark in place of what was taken out of a stranger's text; the system prompt explains it to the model. */
export const REMOVED_MARK = '[removed]';

/** Top-level domains under which a host without a scheme counts as one; `js` and `py` are none, so Node.js is a name. */
const TOP_LEVEL_DOMAINS = new Set(
  'com net org io ai dev app co me info biz xyz ru ua cn tk ly sh gg site online top link'.split(' '),
);

/** Label and target exclude the characters a link begins with, so that no part of a text is scanned twice. `list[0](x)` is code. */
const MARKDOWN_LINK = /(?<![\p{L}\p{N}_\])])!?\[([^[\]\n]*)\]\([^()[\]\n]*\)/gu;

/** Addresses that name their scheme. */
const ADDRESSES = [
  /\b(?:[a-z][a-z0-9+.-]{1,15}:\/\/|www\.)[^\s<>"'`]+/giu,
  /\b(?:javascript:|mailto:|tel:\+?\d|file:\/|data:(?:[a-z]+\/|[,;]))[^\s<>"'`]+/giu,
];

/** A word with what a host, a path or an email address may hold; what of it is a link is decided by looking at it once. */
const WORD = /(?<![^\s<>"'`()[\]{},;|])[^\s<>"'`()[\]{},;|]+/gu;

/** Words before a host in lower case that make it a place to go to. */
const VISIT_PHRASE = /\b(?:visit|fetch|browse|curl|wget|navigate to|go to|see|website|site|url)\b[^.!?]{0,12}$/iu;

/** How much before a word is looked at for `VISIT_PHRASE`. */
const VISIT_PHRASE_DISTANCE = 30;

/** The patterns of this file, for the test of their running time. */
export const LINK_PATTERNS: readonly RegExp[] = [MARKDOWN_LINK, ...ADDRESSES, WORD, VISIT_PHRASE];

/**
 * Returns a text with `REMOVED_MARK` in place of links, email addresses and hosts. Names of tools that are written like hosts
 * stay: ASP.NET, Socket.io, Make.com. A host is a link when it has a path, a query or a third label, or when the words
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

/** A word such as `React/Socket.io` is a list of names; the first part that is a link takes what follows it along. */
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
  // Hosts in links are in lower case; a name of a product nearly always has a capital.
  const isName = /[A-Z]/.test(host);
  return !isName && (isPlaceToGo || path.some((step) => step !== ''));
}
