/**
 * Reads Retry-After: seconds or a date. Returns milliseconds, at most `maxMs`; undefined when there is nothing to go by.
 * @see RFC 9110 section 10.2.3
 */
export function retryAfterMs(value: string | null | undefined, maxMs: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, maxMs) : undefined;
}
