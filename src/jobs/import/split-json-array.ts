import { BrokenFileError } from './import-row';

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];

/**
 * Returns the elements of a JSON array as text, without understanding them: only strings and brackets are followed, so
 * that one faulty element does not spoil the others, and nesting of any depth costs no stack.
 * @throws BrokenFileError where the text is no array, does not end, or goes on behind its end
 */
export function* splitJsonArray(json: Buffer): Generator<Buffer> {
  let at = skipBlanks(json, json.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0);
  if (json[at] !== OPEN_BRACKET) {
    throw new BrokenFileError(1, at === json.length ? 'the file is empty' : 'the body must be a JSON array of jobs');
  }
  let row = 0;
  let start = (at += 1);
  for (;;) {
    at = endOfElement(json, at);
    row += 1;
    if (at === json.length) throw new BrokenFileError(row, 'the array does not end; what follows here was not read');
    const isLast = json[at] === CLOSE_BRACKET;
    const element = json.subarray(start, at);
    if (!(isLast && row === 1 && skipBlanks(element, 0) === element.length)) yield element;
    if (isLast) break;
    start = at += 1;
  }
  if (skipBlanks(json, at + 1) !== json.length) throw new BrokenFileError(row + 1, 'something follows the end of the array');
}

/** Index of the comma or bracket that ends the element beginning at `start`; the length of the text without one. */
function endOfElement(json: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth += 1;
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_BRACKET)) return at;
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth -= 1;
  }
  return json.length;
}

/** Index of the quote that ends the string beginning at `start`; the length of the text without one. */
function endOfString(json: Buffer, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === BACKSLASH) at += 1;
    else if (json[at] === QUOTE) return at;
  }
  return json.length;
}

function skipBlanks(json: Buffer, start: number): number {
  let at = start;
  while (json[at] === 32 || json[at] === 9 || json[at] === 10 || json[at] === 13) at += 1;
  return at;
}
