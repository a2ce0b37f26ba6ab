import { isUtf8 } from 'node:buffer';
import { AppError, invalidValue } from '../errors/app-error';
import { duplicateKeyPointer, jsonSizeOf } from './json-members';
import { malformedAt } from './malformed-json';
import { isUnstorable, pointerStep } from './text';

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
  const size = jsonSizeOf(text);
  if (size.values > maxValues) {
    throw invalidValue(
      '',
      'too_many_values',
      `The text has more than ${maxValues} values. Send fewer items and members.`,
    );
  }
  const value = parse(text);
  const members = { count: 0 };
  const fault = faultOf(value, 0, members);
  if (fault) throw invalidValue(fault.path, fault.code, `${fault.path || 'the body'} ${fault.message}`);
  if (members.count !== size.members) {
    const pointer = duplicateKeyPointer(text);
    throw invalidValue(pointer, 'duplicate_key', `${pointer} is given twice`);
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('request.malformed_json', { detail: malformedAt(text) });
  }
}

function faultOf(value: unknown, depth: number, members: { count: number }): Fault | undefined {
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
      const inner = faultOf(value[index], depth + 1, members);
      if (inner) return under(index, inner);
    }
    return undefined;
  }
  return faultOfObject(value as Record<string, unknown>, depth, members);
}

function faultOfObject(value: Record<string, unknown>, depth: number, members: { count: number }): Fault | undefined {
  for (const key of Object.keys(value)) {
    members.count += 1;
    if (RESERVED_KEYS.has(key)) return under(key, fault('reserved_key', 'is a reserved name'));
    if (isUnstorable(key)) return fault('unstorable_text', 'has a name that holds NUL or half of a surrogate pair');
    const inner = faultOf(value[key], depth + 1, members);
    if (inner) return under(key, inner);
  }
  return undefined;
}

function fault(code: string, message: string): Fault {
  return { code, message, path: '' };
}

function under(key: string | number, inner: Fault): Fault {
  inner.path = pointerStep(key) + inner.path;
  return inner;
}
