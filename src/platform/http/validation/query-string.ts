import { AppError, invalidValue } from '../../errors/app-error';
import { isUnstorable, pointerStep, forDisplay } from './text';

/** A parsed query: a name given several times has a list. */
export type Query = Record<string, string | string[]>;

/** More parameters than any route has. */
const MAX_PARAMETERS = 200;

const MALFORMED = Symbol('malformed query');

/**
 * Reads a query string. The router calls it where nothing may be thrown, so what is malformed is only noted;
 * `assertQuery` tells it to the caller.
 */
export function parseQuery(text: string): Query {
  const query = Object.create(null) as Query & { [MALFORMED]?: true };
  if (text === '') return query;
  const parts = text.split('&', MAX_PARAMETERS + 1);
  if (parts.length > MAX_PARAMETERS) query[MALFORMED] = true;
  for (const part of parts) {
    if (part === '') continue;
    const [name, value] = splitOnce(part.replace(/\+/g, ' '));
    try {
      add(query, decodeURIComponent(name), decodeURIComponent(value));
    } catch {
      query[MALFORMED] = true;
    }
  }
  return query;
}

/**
 * Lets a query go on only when all of it could be read and stored.
 * @throws AppError `request.malformed_url` or `validation.failed`
 */
export function assertQuery(query: Query & { [MALFORMED]?: true }): void {
  if (query[MALFORMED]) throw new AppError('request.malformed_url', { detail: 'the query cannot be read' });
  for (const [name, value] of Object.entries(query)) {
    if (isUnstorable(name) || [value].flat().some(isUnstorable)) throw unstorable(name);
  }
}

/**
 * Lets the parameters of a path go on only when they could be stored.
 * @throws AppError `validation.failed`
 */
export function assertParams(params: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && isUnstorable(value)) throw unstorable(name);
  }
}

function unstorable(name: string): AppError {
  const storable = forDisplay(name).replace(/\0|\p{Surrogate}/gu, '\uFFFD');
  return invalidValue(pointerStep(storable), 'unstorable_text', `${storable} holds NUL or half of a surrogate pair`);
}

function splitOnce(part: string): [string, string] {
  const at = part.indexOf('=');
  return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

function add(query: Query, name: string, value: string): void {
  const before = query[name];
  query[name] = before === undefined ? value : [before, value].flat();
}
