import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What callers may choose themselves; anything else could forge log lines or grow without bounds. */
const ACCEPTED = /^[A-Za-z0-9._-]{8,128}$/;

/** Returns the request's X-Request-Id when it is fit, else a new id. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID();
}
