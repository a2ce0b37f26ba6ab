import type { IncomingHttpHeaders } from 'node:http';

/** The token of the Authorization header. @see RFC 6750 section 2.1 */
export function bearerTokenOf({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}
