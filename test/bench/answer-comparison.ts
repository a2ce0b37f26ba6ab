import { isDeepStrictEqual } from 'node:util';
import { withClient } from '../../src/local-services/database-setup';
import { OPERATIONS, buildRequests } from './operations';
import type { BenchEnvironment } from './rounds';
import type { BenchServices } from './services';

/** Fields that may differ: the id and the time of a new row, and what only the product has. */
const IGNORED_FIELDS = new Set(['id', 'upworkJobId', 'title', 'version', 'createdAt', 'updatedAt', 'nextCursor']);
const MAX_ATTEMPTS = 5;

/**
 * Sends each operation to every server and compares the responses and audit rows, so that no server is faster by doing
 * less.
 * @throws Error that names the operation, the server and both responses
 */
export async function assertSameAnswers(
  { users: benchUsers, servers }: BenchEnvironment,
  services: BenchServices,
): Promise<void> {
  const { product, ...others } = servers;
  for (const operation of OPERATIONS) {
    const next = buildRequests(operation, benchUsers);
    const isWrite = operation === 'c' || operation === 'd';
    for (let i = 0; i < MAX_ATTEMPTS; i++) {
      const request = next();
      const expected = await fetchAnswer(product.port, request);
      const audited = await findLatestChange(services);
      for (const [name, { port }] of Object.entries(others)) {
        const answer = await fetchAnswer(port, isWrite ? { ...request, body: makeRepeatable(request.body) } : request);
        const audit = await findLatestChange(services);
        if (!isSame(answer, expected, isWrite)) throw new Error(describeDifference(operation, name, answer, expected));
        if (isWrite && (audit.id !== audited.id + 1 || !isDeepStrictEqual(audit.columns, audited.columns))) {
          throw new Error(describeDifference(`audit of ${operation}`, name, audit, audited));
        }
        audited.id = audit.id;
      }
    }
  }
}

async function fetchAnswer(
  port: number,
  { method, path, token, body }: { method: string; path: string; token?: string; body?: string },
): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body });
  return { status: response.status, body: await response.json() };
}

/** Returns the same write with another Upwork id, or another title. */
function makeRepeatable(body = ''): string {
  const { upworkJobId, title, ...fields } = JSON.parse(body) as Record<string, unknown>;
  const own = `${Date.now()}${Math.random()}`;
  return JSON.stringify(
    upworkJobId === undefined
      ? { ...fields, title: `Patched ${own}` }
      : { ...fields, title, upworkJobId: `~new${own}` },
  );
}

function isSame(answer: unknown, expected: unknown, isWrite: boolean): boolean {
  const ignored = isWrite ? IGNORED_FIELDS : new Set(['nextCursor']);
  const text = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (key, inner: unknown) => (ignored.has(key) ? undefined : inner)));
  return isDeepStrictEqual(text(answer), text(expected));
}

/** Returns the newest audit row of jobs: the number of rows up to it, and its columns. */
async function findLatestChange(services: BenchServices): Promise<{ id: number; columns: string[] }> {
  return withClient(services.buildUrl('superuser'), async (client) => {
    const { rows } = await client.query<{ id: string; columns: string[] | null }>(
      `SELECT (SELECT count(*) FROM audit_logs WHERE table_name = 'jobs') AS id,
         (SELECT array_agg(key ORDER BY key) FROM audit_logs a, jsonb_object_keys(a.new_values) key
          WHERE a.id = (SELECT max(id) FROM audit_logs WHERE table_name = 'jobs')) AS columns`,
    );
    return { id: Number(rows[0]!.id), columns: rows[0]!.columns ?? [] };
  });
}

function describeDifference(what: string, server: string, answer: unknown, expected: unknown): string {
  const texts = [`${what}: ${server} answers`, JSON.stringify(answer)];
  return [...texts, 'where the product answers', JSON.stringify(expected)].join('\n');
}
