import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Printable ASCII without spaces, which every header can carry. @see RFC 9110 section 5.5 */
export const HEADER_TOKEN = /^[\x21-\x7e]+$/;

/** Request ids that callers may choose. Others could forge log lines or be of any length. */
const ACCEPTED = /^[A-Za-z0-9._-]{8,128}$/;

/** Returns a well-formed X-Request-Id of the request, or a new id. */
export function readRequestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID();
}

/**
 * Parses Retry-After, in seconds or as a date. Returns milliseconds, at most `maxMs`; undefined for other values.
 * @see RFC 9110 section 10.2.3
 */
export function parseRetryAfter(value: string | null | undefined, maxMs: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, maxMs) : undefined;
}
