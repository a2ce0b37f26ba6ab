/** Returns at most the first `max` UTF-16 units of a text without splitting a surrogate pair. */
export function truncate(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}

/** Names of a machine that is addressed by an instruction, not the subject of a job. */
const MACHINE = String.raw`(?:ai|llm|bot|robot|chat ?bot|(?:large )?language model|ai (?:model|assistant|agent))`;

/** Names of a model in a form of address. */
const MODEL = 'ai|llm|language model|chat ?gpt|gpt|claude|gemini|bot';

/** End of a noun: "an AI." or "an AI and", not "an AI engineer". */
const NOUN_END = String.raw`(?=\s*(?:[.,;:!?)]|$)|\s+(?:and|who|that|with(?:out)?)\b)`;

const YOU_ARE = String.raw`you(?: are|['’]re)`;
const IGNORE = 'ignore|disregard|forget|override|bypass';
const PREVIOUS = 'above|previous|prior|earlier|preceding|foregoing';
const RULES = 'instructions?|rules?|prompts?|guidelines|polic(?:y|ies)';
const REPEAT = 'print|reveal|repeat|show|output|display|leak|echo|dump|recite';
const KEPT_SECRET = String.raw`prompt|instructions?|rules|configuration|api[ _-]?keys?|secrets?|passwords?`;

/** Excludes negations: "Do not forget the rules" is not an injection. */
const NOT_DENIED = String.raw`(?<!(?:\bnot|n['’]t|\bnever)\s)`;

/**
 * Nouns of ordinary work: "ignore the previous posting", "print the above design". Injections name rules after the
 * noun.
 */
const WORK = [
  'job|project|cart|web ?page|site|post(?:ing)?|listing|ad|advert|vacancy|budget|rate|price|quote|offer|bid|estimate',
  'deadline|date|version|draft|design|mock-?up|layout|logo|image|photo|picture|screenshot|file|item|product|code',
  'commit|customer|client|freelancer|developer|contractor|team|feedback|work',
].join('|');
const NO_WORK = String.raw`(?!\s+(?:${WORK})s?\b(?!\s+(?:instruction|rule|prompt|guideline|message|command)))`;

/**
 * Sentences that instruct a model. Each pattern matches an instruction, not a topic: "You are an experienced
 * developer", "our bot should answer customers" and "convert images to base64" describe work. All patterns run in
 * linear time.
 */
export const INJECTION_PATTERNS: readonly RegExp[] = [
  new RegExp(String.raw`${NOT_DENIED}\b(?:${IGNORE})\b.{0,40}\b(?:${PREVIOUS})\b${NO_WORK}`, 'iu'),
  new RegExp(
    String.raw`${NOT_DENIED}\b(?:${IGNORE})\b.{0,20}\b(?:all|any|the|your|these|those)\b.{0,20}\b(?:${RULES})\b`,
    'iu',
  ),
  /\b(?:ignore|disregard|forget) everything\b/iu,
  /\byour\s+(?:system|developer|hidden|initial|original|secret)\s+(?:prompt|message|instructions?)\b/iu,
  new RegExp(
    String.raw`\b(?:${REPEAT})\b.{0,40}` +
      String.raw`\b(?:your\b.{0,20}\b(?:${KEPT_SECRET})(?! of\b)|the above\b${NO_WORK}|system prompt|verbatim)\b`,
    'iu',
  ),
  new RegExp(
    String.raw`\b${YOU_ARE}\s+(?:now\s+(?:an?|the(?!\s+(?:lead|owner|head|manager|main))|in|free|dan)|no longer|dan` +
      String.raw`|the (?:operator|system)(?!\s+of an?))\b`,
    'iu',
  ),
  new RegExp(
    String.raw`\b(?:${YOU_ARE}|act as|behave as)\s+an?\s+` +
      String.raw`(?:(?:${MACHINE}|unrestricted)${NOUN_END}|admin(?:istrator)?(?=\s*(?:[.,;:!?)]|$)))`,
    'iu',
  ),
  /\b(?:pretend (?:to be|that|you)|from now on,? you|new instructions?:|role-?play as|as an ai(?: language)? model,)/iu,
  /^\s*(?:#{1,6}\s*)?(?:system|assistant|human|ai|developer)\s*:\s*(?:you|your|new|ignore|please|now|override)\b/iu,
  new RegExp(
    String.raw`\b(?:call|visit|open|fetch|browse|load|curl|wget|navigate)\b.{0,20}` +
      String.raw`\b(?:this|that|the following)\s+(?:url|uri|link|endpoint|webhook|address)\b`,
    'iu',
  ),
  /\b(?:call|visit|open|fetch|browse|load|curl|wget)\b.{0,30}\[removed\]/iu,
  new RegExp(
    String.raw`^\W{0,5}(?:dear |hey |hello |attention |note to )?(?:${MODEL})s?\s?[:,!]` +
      String.raw`(?!\s?(?:ai|ml|llms?|nlp|chat ?gpt|gpt|claude|gemini)\b).{0,40}` +
      String.raw`\b(?:write|say|respond|answer|mention|start|begin|reply|include|print)\b`,
    'iu',
  ),
  new RegExp(String.raw`\b(?:${MODEL})s? (?:that reads?|reading) (?:this|it)\b`, 'iu'),
  /\bto prove (?:that )?you(?: are|['’]re) (?:not )?an? (?:bot|robot|human|ai)\b/iu,
  /\b(?:tool|function)_?calls?["']?\s?[:(]/iu,
  /\b(?:respond|reply|answer) (?:only |exactly )?with (?:only |exactly )?(?:the (?:word|phrase)|["'“])/iu,
  new RegExp(
    String.raw`(?<!\p{L}|(?<!\p{L})(?:не|no|ne|n['’])\s?)` +
      '(?:ігноруй|игнорируй|забудь|ignoriere?|vergiss|ignora|olvida|ignorez|oubliez)' +
      String.raw`(?:те)?(?!\p{L}|\s+(?:nicht|pas)(?!\p{L})).{0,60}` +
      '(?:інструкц|инструкц|правил|вище|выше|anweisung|regeln|instruc|reglas' +
      '|istruzion|regole|règles|anterior|précédent)',
    'iu',
  ),
  /(?:忽略|无视|無視|忘记|忘記).{0,20}(?:指令|指示|提示|规则|規則)|(?:指示|命令|ルール|プロンプト).{0,10}(?:無視|忘れ)|(?:지시|명령|규칙).{0,10}(?:무시|잊)/u,
  new RegExp(
    String.raw`\bdecode (?:this|the following)(?:\s*(?:[:.,]|$)|\s+(?:and|text|string|message|base64|rot13)\b)` +
      String.raw`|\bdecode\b.{0,20}\b(?:base64|rot13)(?:\s*[:.,]|\s+(?:and|text|message)\b|$)`,
    'iu',
  ),
  /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{80}/u,
];

/** Input length relative to the maximum output: cleaning shortens a text, and the rest is never sent. */
const LENGTH_FACTOR = 2;

/**
 * Invisible and direction-changing characters: they hide words from the reader, not from the model. U+200C and U+200D
 * inside a word or emoji belong to its spelling and stay.
 */
const INVISIBLE = new RegExp(
  [
    String.raw`(?<![\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]`,
    String.raw`[\u200c\u200d](?![\p{L}\p{M}\p{Extended_Pictographic}])`,
    String.raw`(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]`,
  ].join('|'),
  'gu',
);

const TAGS =
  '[abipqsu]|br|hr|em|h[1-6]|[duo]l|d[dt]|li|div|span|strong|small|code|pre|table|t[dhr]|html|head|body|script|style|' +
  'img|form|svg|system|assistant|user';

/** HTML tags and role markers of chat protocols. A single word in brackets that is not a tag stays. */
const MARKUP = [
  /<\|[^<|>\n]{0,40}\|>(?:system|assistant|user|developer)?/giu,
  /<\/[a-z][^<>\n]{0,200}>/giu,
  /<[a-z][\w-]{0,40}(?:\s[^<>\n=]{0,60}=[^<>\n]{0,200}|\s?\/)>/giu,
  new RegExp(`<(?:${TAGS})>`, 'giu'),
  /\[\/?(?:INST|SYS|SYSTEM|ASSISTANT|USER)\]|<<\/?SYS>>/giu,
];

const SENTENCE_END = /(?<=[.!?;。])\s+/u;
const REPEATED_MARK = /\[removed\][\s.]*(?=\[removed\])/gu;

/** Patterns of this file, for the running time test. */
export const UNTRUSTED_TEXT_PATTERNS: readonly RegExp[] = [INVISIBLE, ...MARKUP, SENTENCE_END, REPEATED_MARK];

/** Look-alikes of brackets that could close the block. */
const BRACKETS: Readonly<Record<string, string>> = { '<': '‹', '>': '›' };

/**
 * Returns an untrusted text as plain description: without links, markup, invisible characters and sentences that
 * instruct a model, and unable to close its block. The time is linear in `maxLength`: the text is cut before and after
 * normalization, which may lengthen it. Patterns do not stop every attack. The real protection: the model has no tools,
 * the text is marked as data, and a person reads the draft before it is sent.
 */
export function sanitizeUntrustedText(text: string, maxLength: number): string {
  const room = LENGTH_FACTOR * maxLength;
  let plain = truncate(truncate(text, room).normalize('NFKC'), room).replace(/\r\n?/g, '\n');
  plain = plain.replace(INVISIBLE, (character) => (character === '\n' || character === '\t' ? character : ''));
  plain = removeComments(plain);
  for (const pattern of MARKUP) plain = plain.replace(pattern, ' ');
  plain = removeLinks(plain);
  plain = removeInjections(plain.split('\n').map((line) => line.replace(/[ \t]+/g, ' ').trim()))
    .join('\n')
    .replace(REPEATED_MARK, '')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/[<>]/g, (bracket) => BRACKETS[bracket]!)
    .trim();
  return truncate(plain, maxLength);
}

/** Removes HTML comments. Of an unclosed one only the opening mark is removed: its extent is unknown. */
function removeComments(text: string): string {
  let plain = '';
  let at = 0;
  for (let start = text.indexOf('<!--'); start !== -1; start = text.indexOf('<!--', at)) {
    const end = text.indexOf('-->', start + 4);
    if (end === -1) break;
    plain += `${text.slice(at, start)} `;
    at = end + 3;
  }
  return plain + text.slice(at).replaceAll('<!--', ' ');
}

function removeInjections(lines: readonly string[]): string[] {
  const sentences = lines.map((line) =>
    line.split(SENTENCE_END).map((sentence) => (isInjection(sentence) ? REMOVED_MARK : sentence)),
  );
  // An injection may span two lines.
  for (const [index, next] of sentences.entries()) {
    const before = sentences[index - 1];
    const [last, first] = [before?.at(-1) ?? '', next[0] ?? ''];
    if (
      !before ||
      last === '' ||
      first === '' ||
      last.includes(REMOVED_MARK) ||
      first.includes(REMOVED_MARK) ||
      !isInjection(`${last} ${first}`)
    )
      continue;
    before[before.length - 1] = REMOVED_MARK;
    next[0] = REMOVED_MARK;
  }
  return sentences.map((line) => line.join(' '));
}

/** Minimum length of an injection. */
const MIN_INJECTION_LENGTH = 6;

/** Tests a sentence without joiners, which could hide an injection from the patterns. */
function isInjection(sentence: string): boolean {
  if (sentence.length < MIN_INJECTION_LENGTH) return false;
  const bare = sentence.replace(/[\u200c\u200d]/g, '');
  return INJECTION_PATTERNS.some((pattern) => pattern.test(bare));
}

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
function removeLinks(text: string): string {
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
