import { shown } from './text';

/** One token of JSON, or nothing where none begins. */
const TOKEN =
  /\s*(?:(?<mark>[{}[\],:])|(?<text>"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-f]{4}))*")|(?<value>(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null)(?![\w.+-])))/iy;

/** What may follow. */
type Expected = 'value' | 'first value' | 'first name' | 'name' | ':' | ',' | 'end';

/** Longest text that is looked through: bodies beyond it are rare, and tokens of it are not free. */
const MAX_LENGTH = 1_048_576;

/** Returns where a text stops being JSON, and what is wrong there, for a person who wrote it by hand. */
export function malformedAt(text: string): string {
  if (text.length > MAX_LENGTH) return 'The text is not valid JSON.';
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const { mark, text: string, value } = TOKEN.exec(text)?.groups ?? {};
    const token = mark ?? string ?? value;
    const start = at + (/^\s*/.exec(text.slice(at, at + 1_000))?.[0].length ?? 0);
    const next: Expected | undefined =
      token === undefined ? undefined : after(expected, mark ?? (string === undefined ? 'value' : 'text'), open);
    if (next === undefined)
      return `The text is not valid JSON at position ${start}: ${reasonOf(text, start, expected, open)}.`;
    expected = next;
    at = TOKEN.lastIndex;
  }
}

/** Returns what may follow this token, and keeps the open brackets; undefined where the token may not be. */
function after(expected: Expected, token: string, open: string[]): Expected | undefined {
  const isValue = expected === 'value' || expected === 'first value';
  if (token === '{' || token === '[') {
    if (!isValue) return undefined;
    open.push(token);
    return token === '{' ? 'first name' : 'first value';
  }
  if (token === '}' || token === ']') return closed(expected, token, open);
  if (token === ':') return expected === ':' ? 'value' : undefined;
  if (token === ',') return expected !== ',' ? undefined : open.at(-1) === '{' ? 'name' : 'value';
  if (token === 'text' && (expected === 'name' || expected === 'first name')) return ':';
  if (!isValue) return undefined;
  return open.length === 0 ? 'end' : ',';
}

function closed(expected: Expected, token: string, open: string[]): Expected | undefined {
  const first = token === '}' ? 'first name' : 'first value';
  if (open.at(-1) !== (token === '}' ? '{' : '[') || (expected !== ',' && expected !== first)) return undefined;
  open.pop();
  return open.length === 0 ? 'end' : ',';
}

function reasonOf(text: string, start: number, expected: Expected, open: readonly string[]): string {
  const found = text[start];
  if (found === undefined) return expected === 'end' ? 'it is too long' : 'the text ends too early';
  if ((found === '}' || found === ']') && (expected === 'name' || expected === 'value') && open.length > 0) {
    return expected === 'value' && text.slice(0, start).trimEnd().endsWith(':')
      ? 'a value is missing'
      : `a comma before "${found}"`;
  }
  if (found === "'") return 'names and texts are written in double quotes';
  if (found === '"' && !TEXT_ENDS.test(text.slice(start, start + MAX_SHOWN_TEXT)))
    return 'the text that begins here has no end or holds a control character';
  if (expected === 'end') return 'something follows the value';
  if (expected === ',') return `a comma or "${open.at(-1) === '{' ? '}' : ']'}" is missing`;
  if (expected === ':') return 'a colon is missing';
  if (expected === 'name' || expected === 'first name') return 'a name in double quotes is missing';
  return `unexpected ${JSON.stringify(shown(String.fromCodePoint(text.codePointAt(start) ?? 0)))}`;
}

const MAX_SHOWN_TEXT = 1_000;
const TEXT_ENDS = /^"(?:[^"\\]|\\.)*"/;
