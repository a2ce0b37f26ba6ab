import { AppError, invalidValue } from '../../errors/app-error';
import { forDisplay, isUnstorable, pointerStep, UNSTORABLE_MESSAGE } from './fields';

/** A parsed query. The value of a repeated name is a list. */
export type Query = Record<string, string | string[]>;

/** Most parameters of a query; no route has more. */
const MAX_PARAMETERS = 200;

const MALFORMED = Symbol('malformed query');

/**
 * Parses a query string. The router does not allow errors here, so a malformed query is only marked; `assertQuery`
 * rejects it later.
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
 * Rejects a query that is malformed or cannot be stored.
 * @throws AppError `request.malformed_url` or `validation.failed`
 */
export function assertQuery(query: Query & { [MALFORMED]?: true }): void {
  if (query[MALFORMED])
    throw new AppError('request.malformed_url', {
      detail: `Send at most ${MAX_PARAMETERS} parameters, percent-encoded as UTF-8.`,
    });
  for (const [name, value] of Object.entries(query)) {
    if (isUnstorable(name) || [value].flat().some(isUnstorable)) throw unstorable(name);
  }
}

/**
 * Rejects parameters of a path that cannot be stored.
 * @throws AppError `validation.failed`
 */
export function assertParams(params: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && isUnstorable(value)) throw unstorable(name);
  }
}

function unstorable(name: string): AppError {
  const printableName = forDisplay(name).replace(/\0|\p{Surrogate}/gu, '\uFFFD');
  return invalidValue(pointerStep(printableName), 'unstorable_text', `${printableName} ${UNSTORABLE_MESSAGE}.`);
}

function splitOnce(part: string): [string, string] {
  const at = part.indexOf('=');
  return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

function add(query: Query, name: string, value: string): void {
  const earlier = query[name];
  query[name] = earlier === undefined ? value : [earlier, value].flat();
}
