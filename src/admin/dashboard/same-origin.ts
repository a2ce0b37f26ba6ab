import type { FastifyRequest } from 'fastify';
import { AppError } from '../../platform/errors/app-error';

/**
 * Lets a request that changes something go on only when it comes from a page of ours. Browsers say where a form was sent
 * from, by Sec-Fetch-Site or at least by Origin; what says neither is no browser and has no cookie but its own.
 * @throws AppError `auth.forbidden`
 * @see Fetch Metadata Request Headers (W3C)
 */
export function assertSameOrigin({ method, headers }: FastifyRequest, publicUrl: string): void {
  if (method === 'GET' || method === 'HEAD') return;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || (site === undefined && isOurs(headers.origin, headers.host, publicUrl))) return;
  throw new AppError('auth.forbidden', { detail: 'the form was sent from another site' });
}

function isOurs(origin: string | undefined, host: string | undefined, publicUrl: string): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && (new URL(origin).host === host || origin === new URL(publicUrl).origin);
}
