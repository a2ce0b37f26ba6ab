import { createHash } from 'node:crypto';
import { CONTENT_FIELDS, type JobContent } from './job-content';

/**
 * Returns what makes two rows of a tenant the same job: `upwork:<id>`, or without an id `content:<sha-256>` of all
 * columns that say what the job is. Jobs carry the key of what they now are, so it is made anew when they change.
 */
export function sourceKeyOf(content: JobContent): string {
  if (content.upworkJobId !== null) return `upwork:${content.upworkJobId}`;
  const columns = JSON.stringify(CONTENT_FIELDS.map((field) => canonical(content[field])));
  return `content:${createHash('sha256').update(columns).digest('hex')}`;
}

/** Equal JSON has one spelling: jsonb does not keep the order of keys. */
function canonical(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(canonical);
  const entries = Object.entries(value).map(([key, inner]) => [key, canonical(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
