import { performance } from 'node:perf_hooks';
import { withClient } from '../../src/launcher/bootstrap';
import type { Cast } from './callers';
import { load } from './load';
import { newJob, requestsOf } from './operations';
import type { Arena } from './rounds';
import type { BenchServices } from './services';
import { spreadOf } from './statistics';

/** What is measured besides the operations that are compared; the product's alone, cache off. */
export interface Extras {
  /** Rows a second of an import of so many rows over HTTP, of the bare SQL, and their ratio. */
  readonly import: { readonly rows: number; readonly rps: number; readonly bareRps: number; readonly ratio: number };
  readonly login: { readonly rps: number; readonly p50Ms: number };
  /** Rate of reads while logins fill their pool, by the rate without. */
  readonly readsUnderLogins: number;
  readonly refreshMs: number;
  /** Time of page 15,000 of the large tenant by that of page 1. */
  readonly deepPage: number;
  /** Share of a write's time that its audit row takes, of create and of patch: with audit.record() against one that does nothing. */
  readonly audit: { readonly create: number; readonly patch: number };
}

/** How much of each. */
export interface ExtrasOptions {
  readonly importRows: number;
  readonly seconds: number;
  readonly rounds: number;
}

/** Measures them one after the other. */
export async function measureExtras(arena: Arena, services: BenchServices, options: ExtrasOptions): Promise<Extras> {
  const { port } = arena.servers.product;
  const { cast } = arena;
  return {
    import: await imports(port, cast, services, options),
    login: await logins(port, cast, options.seconds),
    readsUnderLogins: await readsUnderLogins(arena, options.seconds),
    refreshMs: await refresh(services),
    deepPage: await deepPage(port, cast, options),
    audit: await auditCost(arena, services, options),
  };
}

async function imports(port: number, { callers }: Cast, services: BenchServices, { importRows, rounds }: ExtrasOptions): Promise<Extras['import']> {
  const pairs: { http: number; bare: number }[] = [];
  const caller = callers[0]!;
  for (let round = 0; round < rounds; round++) {
    const rows = Array.from({ length: importRows }, newJob);
    const http = await secondsOf(() =>
      sendOnce(port, { method: 'POST', path: '/v1/jobs/import', token: caller.token, body: JSON.stringify(rows) }),
    );
    const bareRows = Array.from({ length: importRows }, newJob);
    pairs.push({ http, bare: await bareInsert(services, caller.userId, bareRows) });
  }
  const http = spreadOf(pairs.map((pair) => importRows / pair.http))!.median;
  const bare = spreadOf(pairs.map((pair) => importRows / pair.bare))!.median;
  const ratio = spreadOf(pairs.map((pair) => pair.bare / pair.http))!.median;
  return { rows: importRows, rps: Math.round(http), bareRps: Math.round(bare), ratio: round2(ratio) };
}

/** The same rows by one statement of the same login, audited by the triggers; its parameters are made before the clock runs. */
async function bareInsert(services: BenchServices, userId: number, rows: readonly Record<string, unknown>[]): Promise<number> {
  const column = (name: string): unknown[] => rows.map((row) => row[name]);
  const skills = rows.map((row) => `{${(row['skills'] as string[]).map((skill) => `"${skill}"`).join()}}`);
  const values = [...['upworkJobId', 'title', 'description', 'budgetMin', 'budgetMax', 'category', 'country', 'jobType', 'experienceLevel'].map(column), skills];
  return withClient(services.url('app'), (client) =>
    secondsOf(async () => {
      await client.query('BEGIN');
      await client.query(`SELECT set_config('app.user_id', $1, true), set_config('app.actor_id', $1, true), set_config('app.actor_kind', 'user', true)`, [String(userId)]);
      await client.query(
        `INSERT INTO jobs (upwork_job_id, source_key, title, description, budget_min, budget_max, category, country, job_type, experience_level, skills)
         SELECT u, 'upwork:' || u, t, d, lo, hi, ca, co, jt, el, sk::text[]
         FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
           AS r (u, t, d, lo, hi, ca, co, jt, el, sk)`,
        values,
      );
      await client.query('COMMIT');
    }),
  );
}

async function logins(port: number, cast: Cast, seconds: number): Promise<Extras['login']> {
  const { rps, p50Ms } = await load({ port, connections: 1, seconds: Math.max(2, seconds), next: () => login(cast) });
  return { rps: round2(rps), p50Ms: Math.round(p50Ms) };
}

function login({ email, password }: Cast): { method: string; path: string; body: string } {
  return { method: 'POST', path: '/v1/auth/login', body: JSON.stringify({ email, password }) };
}

async function readsUnderLogins({ cast, servers, rareWords }: Arena, seconds: number): Promise<number> {
  const { port } = servers.product;
  const reads = () => load({ port, connections: 8, seconds, next: requestsOf('a', cast, rareWords) });
  const alone = await reads();
  // Too many at once are sent away with 429: that is the pool being full.
  const flood = load({ port, connections: 16, seconds: seconds + 1, next: () => login(cast), accepted: [429] });
  const [under] = await Promise.all([reads(), flood]);
  return round2(under.rps / alone.rps);
}

async function refresh(services: BenchServices): Promise<number> {
  return withClient(services.url('worker'), async (client) => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) times.push(await secondsOf(() => client.query('SELECT refresh_user_job_stats()')));
    return Math.round(spreadOf(times)!.median * 1000);
  });
}

async function deepPage(port: number, { large, deepCursor }: Cast, { seconds, rounds }: ExtrasOptions): Promise<number> {
  const pages = (path: string) => load({ port, connections: 1, seconds: seconds / 2, next: () => ({ method: 'GET', path, token: large.token }) });
  const ratios: number[] = [];
  for (let round = 0; round < rounds + 1; round++) {
    const first = await pages('/v1/jobs?limit=20');
    const deep = await pages(`/v1/jobs?limit=20&cursor=${deepCursor}`);
    // The first pair warms up.
    if (round > 0) ratios.push(deep.p50Ms / first.p50Ms);
  }
  return round2(spreadOf(ratios)!.median);
}

/** What the server does for the audit stays; what the database does is taken away and put back. */
async function auditCost({ cast, servers, rareWords }: Arena, services: BenchServices, { seconds, rounds }: ExtrasOptions): Promise<Extras['audit']> {
  const { port } = servers.product;
  return withClient(services.url('superuser'), async (client) => {
    const { rows } = await client.query<{ definition: string }>(`SELECT pg_get_functiondef('audit.record(jsonb)'::regprocedure) AS definition`);
    const silent = `CREATE OR REPLACE FUNCTION audit.record(changes jsonb) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog AS 'BEGIN RETURN 0; END'`;
    const shares = { c: [] as number[], d: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      for (const operation of ['c', 'd'] as const) {
        const write = () => load({ port, connections: 16, seconds, next: requestsOf(operation, cast, rareWords) });
        const audited = await write();
        await client.query(silent);
        const unaudited = await write().finally(() => client.query(rows[0]!.definition));
        shares[operation].push(1 - audited.rps / unaudited.rps);
      }
    }
    return { create: round2(spreadOf(shares.c)!.median), patch: round2(spreadOf(shares.d)!.median) };
  });
}

async function sendOnce(port: number, { method, path, token, body }: Record<'method' | 'path' | 'token' | 'body', string>): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body });
  const report = (await response.json()) as { created?: number; failed?: number };
  if (response.status !== 200 || report.failed !== 0) throw new Error(`the import failed: ${JSON.stringify(report).slice(0, 500)}`);
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
