import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a header of a request can carry as one word: printable ASCII without spaces. @see RFC 9110 section 5.5 */
export const HEADER_TOKEN = /^[\x21-\x7e]+$/;

/** What callers may choose themselves; anything else could forge log lines or grow without bounds. */
const ACCEPTED = /^[A-Za-z0-9._-]{8,128}$/;

/** Returns the request's X-Request-Id when it is fit, else a new id. */
export function readRequestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID();
}

/**
 * Reads Retry-After: seconds or a date. Returns milliseconds, at most `maxMs`; undefined when there is nothing to go by.
 * @see RFC 9110 section 10.2.3
 */
export function parseRetryAfter(value: string | null | undefined, maxMs: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, maxMs) : undefined;
}
