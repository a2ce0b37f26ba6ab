/** What an error says at its beginning, or its code, and the words for it. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^53100\b/, 'disk full'],
  [/^53/, 'out of resources'],
  [/^57P03\b|^LOADING /, 'starting'],
  [/^25006\b|^READONLY /, 'read-only'],
  [/^timeout exceeded when trying to connect/, 'no free connection'],
  [/^OOM /, 'out of memory'],
  [/^MISCONF /, 'cannot write to disk'],
  [/^NOREPLICAS /, 'too few replicas'],
  [/^Command timed out/, 'no answer in time'],
];

/** Returns why a part failed in a few words: never PostgreSQL's or Redis's own text, which may hold names. */
export function shortReason(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return REASONS.find(([pattern]) => pattern.test(`${code}`) || pattern.test(message))?.[1] ?? 'not reachable';
}
