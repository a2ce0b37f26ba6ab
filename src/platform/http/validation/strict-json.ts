import { forDisplay, isUnstorable, pointerStep, UNSTORABLE_MESSAGE } from './fields';
import { isUtf8 } from 'node:buffer';
import { AppError, invalidValue } from '../../errors/app-error';

const STRING = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-f]{4}))*"`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?`;

/** One token of JSON at the current position. */
const JSON_TOKEN = new RegExp(
  String.raw`\s*(?:(?<mark>[{}[\],:])|(?<text>${STRING})|(?<value>(?:${NUMBER}|true|false|null)(?![\w.+-])))`,
  'iy',
);

/** The kind of token that may follow. */
type Expected = 'value' | 'first value' | 'first name' | 'name' | ':' | ',' | 'end';

/** Longest text that is searched for the error, since reading its tokens costs time. */
const MAX_LENGTH = 1_048_576;

/** Returns the position and the reason where a text stops being JSON. */
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

/** Returns the kind that may follow this token, and updates the open brackets; undefined for an unexpected token. */
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
  if (found === "'") return 'names and strings need double quotes';
  if (found === '"' && !TEXT_ENDS.test(text.slice(start, start + MAX_SHOWN_TEXT)))
    return 'this string has no end or contains a control character';
  if (expected === 'end') return 'unexpected text after the value';
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

/** Strings and punctuation of a valid JSON text. Other tokens are skipped. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/** The size of a JSON text, counted without parsing it. */
export interface JsonSize {
  /** Number of members of all objects, including duplicates. */
  readonly members: number;
  /** Number of objects, arrays, items and members: one to two times the number of values. */
  readonly values: number;
}

/** An open object or array. */
interface Frame {
  readonly keys: Set<string> | undefined;
  step: string | number;
}

/**
 * Returns the size of a JSON text, valid or not. JSON.parse keeps the last of duplicate keys, so fewer keys in its
 * result than members in the text reveal duplicates.
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

/** Returns the index of the quote that ends the string at `start`. */
function findStringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

/** Deepest nesting of a body. */
const MAX_DEPTH = 32;

/** Most values of a body. The largest valid body, with 65,536 bytes of metadata of a metric, has fewer. */
const MAX_VALUES = 40_000;

/** Keys with a special meaning in JavaScript. */
const RESERVED_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** A value that is valid JSON but not accepted. Each caller prepends its key to the path. */
interface Fault {
  readonly code: string;
  readonly message: string;
  path: string;
}

/**
 * Returns the value of a JSON text, `{}` for an empty one. Rejects texts that are ambiguous or cannot be stored: bytes
 * that are not UTF-8, NUL and lone surrogates, duplicate or reserved keys, inexact numbers, nesting beyond 32 levels.
 * Too many values are rejected before they are parsed.
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
  const fault = findFault(value, 0, members);
  if (fault) throw invalidValue(fault.path, fault.code, `${fault.path || 'The body'} ${fault.message}.`);
  if (members.count !== size.members) {
    const pointer = findDuplicateKey(text);
    throw invalidValue(pointer, 'duplicate_key', `${pointer} is given twice. Send each name once.`);
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
    return isUnstorable(value) ? createFault('unstorable_text', UNSTORABLE_MESSAGE) : undefined;
  }
  if (typeof value === 'number') {
    const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return exact ? undefined : createFault('inexact_number', 'is a number beyond the exact range (2^53)');
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === MAX_DEPTH) return createFault('too_deep', `is nested deeper than ${MAX_DEPTH} levels`);
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
    if (RESERVED_KEYS.has(key)) return prependPath(key, createFault('reserved_key', 'is a reserved name'));
    if (isUnstorable(key)) return createFault('unstorable_text', 'has a name with NUL or half of a surrogate pair');
    const inner = findFault(value[key], depth + 1, members);
    if (inner) return prependPath(key, inner);
  }
  return undefined;
}

function createFault(code: string, message: string): Fault {
  return { code, message, path: '' };
}

function prependPath(key: string | number, inner: Fault): Fault {
  inner.path = pointerStep(key) + inner.path;
  return inner;
}

/**
 * Returns the value with the keys of all objects sorted, for hashes: jsonb and clients do not keep their order. Stored
 * hashes depend on the result. safe-stable-stringify would change it: it sorts `10` before `9`, and an object does not.
 */
export function sortKeys(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const entries = Object.entries(value).map(([key, inner]) => [key, sortKeys(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
