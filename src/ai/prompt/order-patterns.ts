/** A thing that answers prompts, as the addressee of an order and not as the subject of a job. */
const MACHINE = String.raw`(?:ai|llm|bot|robot|chat ?bot|(?:large )?language model|ai (?:model|assistant|agent))`;

/** The end of a noun: "an AI." or "an AI and", not "an AI engineer". */
const NOUN_END = String.raw`(?=\s*(?:[.,;:!?)]|$)|\s+(?:and|who|that|with(?:out)?)\b)`;

const REPEAT = 'print|reveal|repeat|show|output|display|leak|echo|dump|recite';
const KEPT_SECRET = String.raw`prompt|instructions?|rules|configuration|api[ _-]?keys?|secrets?|passwords?`;

/** "Do not forget the rules" asks for the opposite of the order. */
const NOT_DENIED = String.raw`(?<!(?:\bnot|n['’]t|\bnever)\s)`;

/** What a client speaks of: "ignore the previous posting", "print the above design". An order has the rules behind the noun. */
const WORK = String.raw`(?:job|project|cart|web ?page|site|post(?:ing)?|listing|ad|advert|vacancy|budget|rate|price|quote|offer|bid|estimate|deadline|date|version|draft|design|mock-?up|layout|logo|image|photo|picture|screenshot|file|item|product|code|commit|customer|client|freelancer|developer|contractor|team|feedback|work)`;
const NO_WORK = String.raw`(?!\s+${WORK}s?\b(?!\s+(?:instruction|rule|prompt|guideline|message|command)))`;

/**
 * Sentences that give orders to a model. Each pattern names an order, not a topic: "You are an experienced developer",
 * "our bot should answer customers" and "convert images to base64" describe work. All of them run in linear time.
 */
export const ORDERS: readonly RegExp[] = [
  new RegExp(
    String.raw`${NOT_DENIED}\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:above|previous|prior|earlier|preceding|foregoing)\b${NO_WORK}`,
    'iu',
  ),
  new RegExp(
    String.raw`${NOT_DENIED}\b(?:ignore|disregard|forget|override|bypass)\b.{0,20}\b(?:all|any|the|your|these|those)\b.{0,20}\b(?:instructions?|rules?|prompts?|guidelines|polic(?:y|ies))\b`,
    'iu',
  ),
  /\b(?:ignore|disregard|forget) everything\b/iu,
  /\byour\s+(?:system|developer|hidden|initial|original|secret)\s+(?:prompt|message|instructions?)\b/iu,
  new RegExp(
    String.raw`\b(?:${REPEAT})\b.{0,40}\b(?:your\b.{0,20}\b(?:${KEPT_SECRET})(?! of\b)|the above\b${NO_WORK}|system prompt|verbatim)\b`,
    'iu',
  ),
  /\byou(?: are|['’]re)\s+(?:now\s+(?:an?|the(?!\s+(?:lead|owner|head|manager|main))|in|free|dan)|no longer|dan|the (?:operator|system)(?!\s+of an?))\b/iu,
  new RegExp(
    String.raw`\b(?:you(?: are|['’]re)|act as|behave as)\s+an?\s+(?:(?:${MACHINE}|unrestricted)${NOUN_END}|admin(?:istrator)?(?=\s*(?:[.,;:!?)]|$)))`,
    'iu',
  ),
  /\b(?:pretend (?:to be|that|you)|from now on,? you|new instructions?:|role-?play as|as an ai(?: language)? model,)/iu,
  /^\s*(?:#{1,6}\s*)?(?:system|assistant|human|ai|developer)\s*:\s*(?:you|your|new|ignore|please|now|override)\b/iu,
  /\b(?:call|visit|open|fetch|browse|load|curl|wget|navigate)\b.{0,20}\b(?:this|that|the following)\s+(?:url|uri|link|endpoint|webhook|address)\b/iu,
  /\b(?:call|visit|open|fetch|browse|load|curl|wget)\b.{0,30}\[removed\]/iu,
  /^\W{0,5}(?:dear |hey |hello |attention |note to )?(?:ai|llm|language model|chat ?gpt|gpt|claude|gemini|bot)s?\s?[:,!](?!\s?(?:ai|ml|llms?|nlp|chat ?gpt|gpt|claude|gemini)\b).{0,40}\b(?:write|say|respond|answer|mention|start|begin|reply|include|print)\b/iu,
  /\b(?:ai|llm|language model|chat ?gpt|gpt|claude|gemini|bot)s? (?:that reads?|reading) (?:this|it)\b/iu,
  new RegExp(String.raw`\bif you(?: are|['’]re) an? ${MACHINE}${NOUN_END}`, 'iu'),
  /\bto prove (?:that )?you(?: are|['’]re) (?:not )?an? (?:bot|robot|human|ai)\b/iu,
  /\b(?:tool|function)_?calls?["']?\s?[:(]/iu,
  /\b(?:respond|reply|answer) (?:only |exactly )?with (?:only |exactly )?(?:the (?:word|phrase)|["'“])/iu,
  /(?<!\p{L}|(?<!\p{L})(?:не|no|ne|n['’])\s?)(?:ігноруй|игнорируй|забудь|ignoriere?|vergiss|ignora|olvida|ignorez|oubliez)(?:те)?(?!\p{L}|\s+(?:nicht|pas)(?!\p{L})).{0,60}(?:інструкц|инструкц|правил|вище|выше|anweisung|regeln|instruc|reglas|istruzion|regole|règles|anterior|précédent)/iu,
  /(?:忽略|无视|無視|忘记|忘記).{0,20}(?:指令|指示|提示|规则|規則)|(?:指示|命令|ルール|プロンプト).{0,10}(?:無視|忘れ)|(?:지시|명령|규칙).{0,10}(?:무시|잊)/u,
  /\bdecode (?:this|the following)(?:\s*(?:[:.,]|$)|\s+(?:and|text|string|message|base64|rot13)\b)|\bdecode\b.{0,20}\b(?:base64|rot13)(?:\s*[:.,]|\s+(?:and|text|message)\b|$)/iu,
  /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{80}/u,
];
