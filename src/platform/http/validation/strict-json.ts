import { forDisplay, isUnstorable, pointerStep } from './text';
import { isUtf8 } from 'node:buffer';
import { AppError, invalidValue } from '../../errors/app-error';

/** One token of JSON, or nothing where none begins. */
const JSON_TOKEN =
  /\s*(?:(?<mark>[{}[\],:])|(?<text>"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-f]{4}))*")|(?<value>(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null)(?![\w.+-])))/iy;

/** What may follow. */
type Expected = 'value' | 'first value' | 'first name' | 'name' | ':' | ',' | 'end';

/** Longest text that is looked through: bodies beyond it are rare, and tokens of it are not free. */
const MAX_LENGTH = 1_048_576;

/** Returns where a text stops being JSON, and what is wrong there, for a person who wrote it by hand. */
export function findMalformedJson(text: string): string {
  if (text.length > MAX_LENGTH) return 'The text is not valid JSON.';
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    JSON_TOKEN.lastIndex = at;
    const { mark, text: string, value } = JSON_TOKEN.exec(text)?.groups ?? {};
    const token = mark ?? string ?? value;
    const start = at + (/^\s*/.exec(text.slice(at, at + 1_000))?.[0].length ?? 0);
    const next: Expected | undefined =
      token === undefined ? undefined : nextExpected(expected, mark ?? (string === undefined ? 'value' : 'text'), open);
    if (next === undefined)
      return `The text is not valid JSON at position ${start}: ${describeFault(text, start, expected, open)}.`;
    expected = next;
    at = JSON_TOKEN.lastIndex;
  }
}

/** Returns what may follow this token, and keeps the open brackets; undefined where the token may not be. */
function nextExpected(expected: Expected, token: string, open: string[]): Expected | undefined {
  const isValue = expected === 'value' || expected === 'first value';
  if (token === '{' || token === '[') {
    if (!isValue) return undefined;
    open.push(token);
    return token === '{' ? 'first name' : 'first value';
  }
  if (token === '}' || token === ']') return closeBracket(expected, token, open);
  if (token === ':') return expected === ':' ? 'value' : undefined;
  if (token === ',') return expected !== ',' ? undefined : open.at(-1) === '{' ? 'name' : 'value';
  if (token === 'text' && (expected === 'name' || expected === 'first name')) return ':';
  if (!isValue) return undefined;
  return open.length === 0 ? 'end' : ',';
}

function closeBracket(expected: Expected, token: string, open: string[]): Expected | undefined {
  const first = token === '}' ? 'first name' : 'first value';
  if (open.at(-1) !== (token === '}' ? '{' : '[') || (expected !== ',' && expected !== first)) return undefined;
  open.pop();
  return open.length === 0 ? 'end' : ',';
}

function describeFault(text: string, start: number, expected: Expected, open: readonly string[]): string {
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
  return `unexpected ${JSON.stringify(forDisplay(String.fromCodePoint(text.codePointAt(start) ?? 0)))}`;
}

const MAX_SHOWN_TEXT = 1_000;
const TEXT_ENDS = /^"(?:[^"\\]|\\.)*"/;

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
export function measureJson(text: string): JsonSize {
  let [members, values] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = findStringEnd(text, at);
    else if (code === COLON) members += 1;
    else if (code === COMMA || code === OPEN_BRACKET || code === OPEN_BRACE) values += 1;
  }
  return { members, values };
}

/** Returns the JSON pointer of the first duplicate key of a valid JSON text; '' when it has none. */
export function findDuplicateKey(text: string): string {
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
function findStringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

/** Deeper nesting serves nobody and costs every reader. */
const MAX_DEPTH = 32;

/** Most values of a body: the largest that a rule allows, the 65,536 bytes of a metric's metadata, hold fewer. */
const MAX_VALUES = 40_000;

/** Keys that reach into JavaScript's objects instead of naming a value. */
const RESERVED_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** A value that is valid JSON, but that we do not take; the path grows on the way out. */
interface Fault {
  readonly code: string;
  readonly message: string;
  path: string;
}

/**
 * Returns the value of a JSON text, or of nothing `{}`. Refused is all that two readers could understand differently
 * or that could not be stored as it is: bytes that are not UTF-8, NUL and lone surrogates, duplicate or reserved keys,
 * numbers beyond the exact range, nesting beyond 32 levels. Too many values are refused before they are parsed.
 * @param maxValues counted as `JsonSize.values`
 * @throws AppError `request.malformed_json`, or `validation.failed` with the pointer of the value
 * @see RFC 8259; RFC 7493 (I-JSON)
 */
export function parseStrictJson(body: Buffer, maxValues = MAX_VALUES): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) throw new AppError('request.malformed_json', { detail: 'The text is not UTF-8.' });
  const text = body.toString('utf8').replace(/^\uFEFF/, '');
  const size = measureJson(text);
  if (size.values > maxValues) {
    throw invalidValue(
      '',
      'too_many_values',
      `The text has more than ${maxValues} values. Send fewer items and members.`,
    );
  }
  const value = parse(text);
  const members = { count: 0 };
  const createFault = findFault(value, 0, members);
  if (createFault)
    throw invalidValue(createFault.path, createFault.code, `${createFault.path || 'the body'} ${createFault.message}`);
  if (members.count !== size.members) {
    const pointer = findDuplicateKey(text);
    throw invalidValue(pointer, 'duplicate_key', `${pointer} is given twice`);
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('request.malformed_json', { detail: findMalformedJson(text) });
  }
}

function findFault(value: unknown, depth: number, members: { count: number }): Fault | undefined {
  if (typeof value === 'string') {
    return isUnstorable(value) ? fault('unstorable_text', 'holds NUL or half of a surrogate pair') : undefined;
  }
  if (typeof value === 'number') {
    const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return exact ? undefined : fault('inexact_number', 'is a number beyond the range that is exact (2^53)');
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === MAX_DEPTH) return fault('too_deep', `is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const inner = findFault(value[index], depth + 1, members);
      if (inner) return prependPath(index, inner);
    }
    return undefined;
  }
  return findFaultInObject(value as Record<string, unknown>, depth, members);
}

function findFaultInObject(
  value: Record<string, unknown>,
  depth: number,
  members: { count: number },
): Fault | undefined {
  for (const key of Object.keys(value)) {
    members.count += 1;
    if (RESERVED_KEYS.has(key)) return prependPath(key, fault('reserved_key', 'is a reserved name'));
    if (isUnstorable(key)) return fault('unstorable_text', 'has a name that holds NUL or half of a surrogate pair');
    const inner = findFault(value[key], depth + 1, members);
    if (inner) return prependPath(key, inner);
  }
  return undefined;
}

function fault(code: string, message: string): Fault {
  return { code, message, path: '' };
}

function prependPath(key: string | number, inner: Fault): Fault {
  inner.path = pointerStep(key) + inner.path;
  return inner;
}
