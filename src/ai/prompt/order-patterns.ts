/** A thing that answers prompts, as the addressee of an order and not as the subject of a job. */
const MACHINE = String.raw`(?:ai|llm|bot|robot|chat ?bot|(?:large )?language model|ai (?:model|assistant|agent))`;

/** The end of a noun: "an AI." or "an AI and", not "an AI engineer". */
const NOUN_END = String.raw`(?=\s*(?:[.,;:!?)]|$)|\s+(?:and|who|that|with(?:out)?)\b)`;

const REPEAT = 'print|reveal|repeat|show|output|display|leak|echo|dump|recite';
const KEPT_SECRET = String.raw`prompt|instructions?|rules|configuration|api[ _-]?keys?|secrets?|passwords?`;

/**
 * Sentences that give orders to a model. Each pattern names an order, not a topic: "You are an experienced developer",
 * "our bot should answer customers" and "convert images to base64" describe work. All of them run in linear time.
 */
export const ORDERS: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:above|previous|prior|earlier|preceding|foregoing)\b/iu,
  /\b(?:ignore|disregard|forget|override|bypass)\b.{0,20}\b(?:all|any|the|your|these|those)\b.{0,20}\b(?:instructions?|rules?|prompts?|guidelines|polic(?:y|ies))\b/iu,
  /\b(?:ignore|disregard|forget) everything\b/iu,
  /\byour\s+(?:system|developer|hidden|initial|original|secret)\s+(?:prompt|message|instructions?)\b/iu,
  new RegExp(String.raw`\b(?:${REPEAT})\b.{0,40}\b(?:your\b.{0,20}\b(?:${KEPT_SECRET})|the above|system prompt|verbatim)\b`, 'iu'),
  /\byou(?: are|['’]re)\s+(?:now\s+(?:an?|the|in|free|dan)|no longer|dan|the (?:operator|system))\b/iu,
  new RegExp(String.raw`\b(?:you(?: are|['’]re)|act as|behave as)\s+an?\s+(?:${MACHINE}|admin(?:istrator)?|unrestricted)${NOUN_END}`, 'iu'),
  /\b(?:pretend (?:to be|that|you)|from now on,? you|new instructions?:|role-?play as|as an ai(?: language)? model,)/iu,
  /^\s*(?:#{1,6}\s*)?(?:system|assistant|human|ai|developer)\s*:\s*(?:you|your|new|ignore|please|now|override)\b/iu,
  /\b(?:call|visit|open|fetch|browse|load|curl|wget|navigate)\b.{0,20}\b(?:this|that|the following)\s+(?:url|uri|link|endpoint|webhook|address)\b/iu,
  /\b(?:call|visit|open|fetch|browse|load|curl|wget)\b.{0,30}\[removed\]/iu,
  /^\W{0,5}(?:dear |hey |hello |attention |note to )?(?:ai|llm|language model|chat ?gpt|gpt|claude|gemini|bot)s?\s?[:,!].{0,40}\b(?:write|say|respond|answer|mention|start|begin|reply|include|print)\b/iu,
  /\b(?:ai|llm|language model|chat ?gpt|gpt|claude|gemini|bot)s? (?:that reads?|reading) (?:this|it)\b/iu,
  new RegExp(String.raw`\bif you(?: are|['’]re) an? ${MACHINE}${NOUN_END}`, 'iu'),
  /\bto prove (?:that )?you(?: are|['’]re) (?:not )?an? (?:bot|robot|human|ai)\b/iu,
  /\b(?:tool|function)_?calls?["']?\s?[:(]/iu,
  /\b(?:respond|reply|answer) (?:only |exactly )?with (?:only |exactly )?(?:the (?:word|phrase)|["'“])/iu,
  /(?<!\p{L})(?:ігноруй|игнорируй|забудь|ignoriere?|vergiss|ignora|olvida|ignorez|oubliez)(?:те)?(?!\p{L}).{0,60}(?:інструкц|инструкц|правил|вище|выше|anweisung|regeln|instruc|reglas|istruzion|regole|règles|anterior|précédent)/iu,
  /\bdecode (?:this|the following)\b|\bdecode\b.{0,20}\b(?:base64|rot13)\b/iu,
  /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{80}/u,
];
