/** What stands where something was taken out; told to the model, so that it does not wonder. */
export const REMOVED = '[removed]';

/** Invisible characters, and those that turn the direction of text: they hide words from the reader, not from the model. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu;

/** Markup, comments and the marks chat protocols put around roles. */
const MARKUP = /<!--[\s\S]*?-->|<\|[^|>\n]{0,40}\|>(?:system|assistant|user|developer)?|<\/?[A-Za-z][^<>\n]{0,200}>|\[\/?(?:INST|SYS|SYSTEM|ASSISTANT|USER)\]|<<\/?SYS>>/giu;

const LINKS = [
  /!?\[([^\]\n]{0,200})\]\([^)\n]{0,2000}\)/gu,
  /\b(?:[a-z][a-z0-9+.-]{1,15}:\/\/|www\.)[^\s<>"'`]+/giu,
  /\b(?:javascript|data|mailto|tel|file):[^\s<>"'`]+/giu,
  /\b(?:[a-z0-9-]{1,63}\.)+(?:com|net|org|io|ai|dev|app|co|me|info|biz|xyz|ru|ua|cn|tk|ly|sh|gg|site|online|top|link)(?:\/[^\s<>"'`]*)?(?![\w-])/giu,
];

/** A sentence that speaks to the model instead of describing work. */
const INSTRUCTIONS = [
  /\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,60}\b(?:above|previous|prior|earlier|preceding|foregoing|instructions?|rules?|prompts?|guidelines|everything|polic(?:y|ies))\b/iu,
  /\b(?:system|developer|hidden|initial|original|secret)\s+(?:prompt|message|instructions?)\b/iu,
  /\b(?:print|reveal|repeat|show|output|display|leak|echo|dump|recite|tell)\b.{0,60}\b(?:prompt|instructions?|rules|configuration|api[ _-]?keys?|secrets?|passwords?|above|verbatim)\b/iu,
  /\b(?:you are|you're|act as|pretend|behave as|role-?play|from now on|as an ai|new instructions?|jailbreak|dan mode|developer mode)\b/iu,
  /^\s*(?:#{1,6}\s*)?(?:system|assistant|user|human|ai|developer|tool|function)\s*:/iu,
  /\b(?:call|visit|open|fetch|get|request|browse|load|post|send|curl|wget|navigate|download)\b.{0,60}(?:\b(?:url|uri|link|website|endpoint|webhook|https?|address)\b|\[removed\])/iu,
  /\b(?:ai|llm|language model|chat ?gpt|gpt|claude|gemini|bot|assistant)s?\b.{0,80}\b(?:must|should|please|include|write|say|respond|answer|mention|start|begin|read|reply)\b/iu,
  /\b(?:if you(?:'re| are) (?:an? )?(?:ai|llm|bot|model)|to prove (?:that )?you(?:'re| are)|tool_?call|function_?call|execute|eval\s*\()\b/iu,
  /\b(?:respond|reply|answer|begin|start|end)\b.{0,30}\b(?:only|exactly|with the (?:word|phrase)|your (?:answer|reply|response|letter|proposal) with)\b/iu,
  /(?:ігноруй|игнорируй|забудь|ignorier|vergiss|ignora|olvida|ignorez|oubliez).{0,80}/iu,
  /\b(?:base64|rot13|decode (?:this|the following))\b/iu,
  /[A-Za-z0-9+/]{80,}={0,2}/u,
];

/** Brackets that could close the block the text stands in, by look-alikes that could not. */
const BRACKETS: Readonly<Record<string, string>> = { '<': '‹', '>': '›' };

/**
 * Returns a text of a stranger as plain description: without links, markup, invisible characters and sentences that give
 * orders to a model, and unable to end the block it is put into. It is no proof against cleverness: what protects is that
 * the model has no tools, that the text stands as data, and that a person reads the draft before it is sent.
 */
export function asData(text: string, maxLength: number): string {
  let plain = text.normalize('NFKC').replace(INVISIBLE, (c) => (c === '\n' || c === '\t' ? c : c === '\r' ? '\n' : ''));
  plain = plain.replace(MARKUP, ' ');
  plain = plain.replace(LINKS[0]!, '$1 [removed]');
  for (const link of LINKS.slice(1)) plain = plain.replace(link, REMOVED);
  const lines = plain.split('\n').map((line) => sentencesOf(line).map(withoutOrders).join(' ').replace(/[ \t]+/g, ' ').trim());
  return lines
    .join('\n')
    .replace(/(?:\[removed\][\s.]*){2,}/g, `${REMOVED}\n`)
    .replace(/\n{3,}/g, '\n\n')
    .replace(/[<>]/g, (bracket) => BRACKETS[bracket]!)
    .trim()
    .slice(0, maxLength);
}

function sentencesOf(line: string): string[] {
  return line.split(/(?<=[.!?;。])\s+/u);
}

function withoutOrders(sentence: string): string {
  return INSTRUCTIONS.some((order) => order.test(sentence)) ? REMOVED : sentence;
}
