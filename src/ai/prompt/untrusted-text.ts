import { withoutLinks } from './links';
import { ORDERS } from './order-patterns';
import { REMOVED } from './removed';
import { firstOf } from './text-cut';

/** How much more than its result of a text is read: cleaning makes a text shorter, and what is behind is never sent. */
const SLACK = 2;

/**
 * Invisible characters, and those that turn the direction of text: they hide words from the reader, not from the model.
 * U+200C and U+200D inside a word or an emoji are part of its spelling and stay.
 */
const INVISIBLE =
  /(?<![\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{M}\p{Extended_Pictographic}])|(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu;

/** Tags of HTML and the marks chat protocols put around roles. A single word in brackets that is no tag stays. */
const MARKUP = [
  /<\|[^<|>\n]{0,40}\|>(?:system|assistant|user|developer)?/giu,
  /<\/[a-z][^<>\n]{0,200}>/giu,
  /<[a-z][\w-]{0,40}(?:\s[^<>\n=]{0,60}=[^<>\n]{0,200}|\s?\/)>/giu,
  /<(?:[abipqsu]|br|hr|em|h[1-6]|[duo]l|d[dt]|li|div|span|strong|small|code|pre|table|t[dhr]|html|head|body|script|style|img|form|svg|system|assistant|user)>/giu,
  /\[\/?(?:INST|SYS|SYSTEM|ASSISTANT|USER)\]|<<\/?SYS>>/giu,
];

const SENTENCE_END = /(?<=[.!?;。])\s+/u;
const REPEATED_MARK = /\[removed\][\s.]*(?=\[removed\])/gu;

/** The patterns of this file, for the test of their running time. */
export const UNTRUSTED_TEXT_PATTERNS: readonly RegExp[] = [INVISIBLE, ...MARKUP, SENTENCE_END, REPEATED_MARK];

/** Brackets that could close the block around the text, by look-alikes that could not. */
const BRACKETS: Readonly<Record<string, string>> = { '<': '‹', '>': '›' };

/**
 * Returns a stranger's text as plain description: without links, markup, invisible characters and sentences that give
 * orders to a model, and unable to end its block. The time is linear in `maxLength` for every text: it is cut before
 * and after normalisation, which may lengthen it. It is no proof against cleverness: what protects is that the model has
 * no tools, that the text is marked as data, and that a person reads the draft before it is sent.
 */
export function asData(text: string, maxLength: number): string {
  const room = SLACK * maxLength;
  let plain = firstOf(firstOf(text, room).normalize('NFKC'), room).replace(/\r\n?/g, '\n');
  plain = plain.replace(INVISIBLE, (character) => (character === '\n' || character === '\t' ? character : ''));
  plain = withoutComments(plain);
  for (const pattern of MARKUP) plain = plain.replace(pattern, ' ');
  plain = withoutLinks(plain);
  plain = withoutOrders(plain.split('\n').map((line) => line.replace(/[ \t]+/g, ' ').trim()))
    .join('\n')
    .replace(REPEATED_MARK, '')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/[<>]/g, (bracket) => BRACKETS[bracket]!)
    .trim();
  return firstOf(plain, maxLength);
}

/** Takes out comments of HTML; of one without an end only its mark, for nothing says how far it goes. */
function withoutComments(text: string): string {
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

function withoutOrders(lines: readonly string[]): string[] {
  const sentences = lines.map((line) =>
    line.split(SENTENCE_END).map((sentence) => (isOrder(sentence) ? REMOVED : sentence)),
  );
  // A line may end in the middle of an order.
  for (const [index, next] of sentences.entries()) {
    const before = sentences[index - 1];
    const [last, first] = [before?.at(-1) ?? '', next[0] ?? ''];
    if (
      !before ||
      last === '' ||
      first === '' ||
      last.includes(REMOVED) ||
      first.includes(REMOVED) ||
      !isOrder(`${last} ${first}`)
    )
      continue;
    before[before.length - 1] = REMOVED;
    next[0] = REMOVED;
  }
  return sentences.map((line) => line.join(' '));
}

/** No order is shorter. */
const MIN_ORDER = 6;

/** Joiners inside words could hide an order from the patterns, so these see the sentence without them. */
function isOrder(sentence: string): boolean {
  if (sentence.length < MIN_ORDER) return false;
  const bare = sentence.replace(/[\u200c\u200d]/g, '');
  return ORDERS.some((order) => order.test(bare));
}
