import { pointerStep } from './text';

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;

/** Strings and structure of a valid JSON text; what lies between them does not matter here. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** An object or array that is open while reading. */
interface Frame {
  readonly keys: Set<string> | undefined;
  step: string | number;
}

/**
 * Returns how many members the objects of a valid JSON text have in all, repeated ones counted each time. JSON.parse
 * keeps the last of duplicates, so that a smaller number of keys in its result tells that there were some.
 */
export function memberCount(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) count += 1;
    else if (code === QUOTE) at = endOfString(text, at);
  }
  return count;
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
