import { pointerStep } from './text';

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const OPEN_BRACE = 123;

/** Strings and structure of a valid JSON text; what lies between them does not matter here. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/** How much a JSON text holds, counted without parsing it. */
export interface JsonSize {
  /** Members of objects, repeated ones each time. */
  readonly members: number;
  /** Objects, arrays, their items and members: no fewer than the values of the text, at most twice as many. */
  readonly values: number;
}

/** An object or array that is open while reading. */
interface Frame {
  readonly keys: Set<string> | undefined;
  step: string | number;
}

/**
 * Returns the size of a JSON text, valid or not. JSON.parse keeps the last of duplicate keys, so fewer keys in its result
 * than members in the text show that there were some.
 */
export function jsonSizeOf(text: string): JsonSize {
  let [members, values] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COLON) members += 1;
    else if (code === COMMA || code === OPEN_BRACKET || code === OPEN_BRACE) values += 1;
  }
  return { members, values };
}

/** Returns the JSON pointer of the first duplicate key of a valid JSON text; '' when it has none. */
export function duplicateKeyPointer(text: string): string {
  const frames: Frame[] = [];
  let string = '';
  for (const [token] of text.matchAll(TOKEN)) {
    const top = frames.at(-1);
    if (token === '{') frames.push({ keys: new Set(), step: '' });
    else if (token === '[') frames.push({ keys: undefined, step: 0 });
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',' && top && typeof top.step === 'number') top.step += 1;
    else if (token.startsWith('"')) string = token;
    else if (token === ':' && top?.keys) {
      top.step = JSON.parse(string) as string;
      if (top.keys.has(top.step)) return frames.map(({ step }) => pointerStep(step)).join('');
      top.keys.add(top.step);
    }
  }
  return '';
}

/** Index of the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
