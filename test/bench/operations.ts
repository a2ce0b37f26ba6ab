import { listJobs } from '../../src/jobs/jobs.queries';
import { ListJobsDto } from '../../src/jobs/jobs-list.dto';
import type { BenchCaller, BenchUsers } from './bench-users';
import type { ContextSigner } from '../../src/platform/database/context-signer';
import { RARE_WORDS } from './data-set';
import type { LoadRequest } from './load';
import { BASELINE_STATEMENTS } from './baseline-statements';

/** The compared operations, by the letters in the results. */
export const OPERATIONS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
/** One of OPERATIONS. */
export type Operation = (typeof OPERATIONS)[number];

/** The order of measurement. Writes come last, because a list reads past rows that were created before. */
export const MEASURED_IN_ORDER: readonly Operation[] = ['a', 'b', 'e', 'f', 'd', 'c'];

/** The names of the operations. */
export const NAMES: Readonly<Record<Operation, string>> = {
  a: 'get a job',
  b: 'page of 20',
  c: 'create + audit',
  d: 'patch + audit',
  e: 'own stats',
  f: 'search, large tenant',
};

const LIST = { status: 'active', skills: 'skill3', budgetMin: '500.00' };

/** Generates endless requests of one operation: random callers and jobs, the same for every server. */
export function buildRequests(operation: Operation, { callers, largeTenant: large }: BenchUsers): () => LoadRequest {
  const request = (from: BenchCaller, method: string, path: string, body?: unknown): LoadRequest => ({
    method,
    path,
    token: from.token,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const someone = (): BenchCaller => callers[randomInteger(callers.length)]!;
  const job = (from: BenchCaller): string => `/v1/jobs/${from.firstJob + randomInteger(from.jobs)}`;
  const list = `/v1/jobs?${new URLSearchParams({ ...LIST, limit: '20' }).toString()}`;
  switch (operation) {
    case 'a':
      return () => {
        const from = someone();
        return request(from, 'GET', job(from));
      };
    case 'b':
      return () => request(someone(), 'GET', list);
    case 'c':
      return () => request(someone(), 'POST', '/v1/jobs', buildJob());
    case 'd':
      return () => {
        const from = someone();
        return request(from, 'PATCH', job(from), { title: `Patched ${randomInteger(1e9)}` });
      };
    case 'e':
      return () => request(someone(), 'GET', '/v1/analytics/job-stats');
    case 'f':
      return () => request(large, 'GET', `/v1/jobs?q=project${randomInteger(RARE_WORDS)}&limit=20`);
  }
}

/** Builds a job as a client would store it, with a new Upwork id each time. */
export function buildJob(): Record<string, unknown> {
  return {
    upworkJobId: `~new${randomInteger(9e15)}`,
    title: 'Speed up slow PostgreSQL queries',
    description: 'Our reports take minutes. Find out why, and make them take seconds. '.repeat(5).trim(),
    budgetMin: '500.00',
    budgetMax: '1000.00',
    skills: ['PostgreSQL', 'Performance Optimization', 'SQL'],
    category: 'Web, Mobile & Software Dev',
    country: 'Germany',
    jobType: 'fixed',
    experienceLevel: 'expert',
  };
}

/**
 * Returns the pgbench script with the same SQL in one batch: the upper bound for a server. pgbench cannot sign, so a
 * script has one caller and is valid for half a minute.
 */
export function buildPgbenchScript(operation: Operation, benchUsers: BenchUsers, signer: ContextSigner): string {
  const { callers, largeTenant } = benchUsers;
  const caller = operation === 'f' ? largeTenant : callers[randomInteger(callers.length)]!;
  return [
    `\\set id ${caller.firstJob} + random(0, ${caller.jobs - 1})`,
    '\\set r random(1, 9000000000000000)',
    `\\set word random(0, ${RARE_WORDS - 1})`,
    '\\startpipeline',
    'BEGIN;',
    `${buildContext(operation, caller, signer)};`,
    `${buildStatement(operation).replace(/\s+/g, ' ')};`,
    'COMMIT;',
    '\\endpipeline',
    '',
  ].join('\n');
}

function buildContext(operation: Operation, { userId }: BenchCaller, signer: ContextSigner): string {
  const user = String(userId);
  const signed = signer.sign([user, 'user', user, 'subscriber', 'bench-request', '127.0.0.1', operation, '']);
  return fillParameters(BASELINE_STATEMENTS.context, [quote(signed), `'15000'`]);
}

function buildStatement(operation: Operation): string {
  const { get, create, patch, stats } = BASELINE_STATEMENTS;
  switch (operation) {
    case 'a':
      return fillParameters(get, [':id']);
    case 'b':
      return buildProductList({ status: ['active'], skills: ['skill3'], budgetMin: '500.00' });
    case 'c': {
      const { upworkJobId: _, skills, ...job } = buildJob();
      const others = Object.values(job).map((value) => quote(String(value)));
      const list = quote(`{${(skills as string[]).map((skill) => `"${skill}"`).join()}}`);
      return fillParameters(create, [`'~bench' || (:r)::text`, list, ...others]);
    }
    case 'd':
      return fillParameters(patch, [':id', `'Patched ' || (:r)::text`]);
    case 'e':
      return stats;
    case 'f':
      return buildProductList({ q: 'project0' }).replace(`'project0'`, `'project' || (:word)::text`);
  }
}

/** Returns the product's statement with its values written into it. */
function buildProductList(filters: Partial<ListJobsDto>): string {
  const [sql, values] = listJobs(Object.assign(new ListJobsDto(), filters), undefined, 21);
  return fillParameters(
    sql,
    values.map((value) =>
      Array.isArray(value) ? `'{${value.join()}}'` : typeof value === 'number' ? String(value) : quote(String(value)),
    ),
  );
}

function fillParameters(sql: string, values: readonly string[]): string {
  return sql.replace(/\$(\d+)/g, (_, number: string) => values[Number(number) - 1]!);
}

function quote(text: string): string {
  return `'${text.replace(/'/g, "''")}'`;
}

function randomInteger(below: number): number {
  return Math.floor(Math.random() * below);
}
