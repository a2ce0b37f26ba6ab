import { performance } from 'node:perf_hooks';
import { withClient } from '../../src/launcher/bootstrap';
import { measureAuditCost, type AuditCost } from './audit-cost';
import { hot, type Cast } from './callers';
import type { DataSize } from './data-set';
import { measureImports, measureStream, type ImportRate, type StreamMemory } from './imports';
import { load } from './load';
import { measureLogins, type Logins } from './logins';
import { summarise, type OperationResult } from './result';
import { measure, type Arena } from './rounds';
import type { BenchServices } from './services';
import { spreadOf, type Spread } from './statistics';
import { measureTenfold, type Tenfold } from './tenfold';

/** What is measured besides the operations that are compared; of the product with its cache off, unless it says otherwise. */
export interface Extras {
  /** Operation a on 500 jobs, which a cache soon holds; null for a product without one. */
  readonly hot: OperationResult | null;
  readonly import: ImportRate;
  readonly stream: StreamMemory;
  readonly logins: Logins;
  readonly refreshMs: number;
  /** Time of page 15,000 of the large tenant by that of page 1. */
  readonly deepPage: Spread;
  readonly audit: AuditCost;
  /** Time of a request with ten times the users, by that without; null when it was not asked for. */
  readonly tenfold: Tenfold | null;
}

/** How much of each. */
export interface ExtrasOptions extends DataSize {
  readonly seconds: number;
  readonly rounds: number;
  readonly importRows: number;
  readonly streamRows: number;
  readonly hasTenfold: boolean;
}

/** Measures them one after the other, once what the operations wrote is cleared up; what makes many rows comes last. */
export async function measureExtras(arena: Arena, services: BenchServices, options: ExtrasOptions): Promise<Extras> {
  const { cast } = arena;
  const { product } = arena.servers;
  await clearUp(services);
  return {
    hot: await hotReads(arena, options),
    logins: await measureLogins(arena, options),
    refreshMs: await refresh(services),
    deepPage: await deepPage(product.port, cast, options),
    audit: await measureAuditCost(arena, services, options),
    import: await measureImports(product.port, cast, services, options),
    stream: await measureStream(product, cast, options.streamRows),
    tenfold: options.hasTenfold ? await measureTenfold(arena, services, options) : null,
  };
}

/** What PostgreSQL would else do behind the first of them: the operations end with the writes. */
async function clearUp(services: BenchServices): Promise<void> {
  await withClient(services.url('superuser'), async (client) => {
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  });
}

async function hotReads(arena: Arena, { rounds, seconds }: ExtrasOptions): Promise<Extras['hot']> {
  if (!arena.servers.productCached) return null;
  const reads = { ...arena, cast: hot(arena.cast) };
  const options = { rounds, seconds, connections: 16, contenders: ['fastify', 'product', 'productCached'] as const };
  return summarise(await measure(reads, 'a', options));
}

async function refresh(services: BenchServices): Promise<number> {
  return withClient(services.url('worker'), async (client) => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      await client.query('SELECT refresh_user_job_stats()');
      times.push(performance.now() - began);
    }
    return Math.round(spreadOf(times)!.median);
  });
}

async function deepPage(
  port: number,
  { large, deepCursor }: Cast,
  { seconds, rounds }: ExtrasOptions,
): Promise<Spread> {
  const pages = (path: string) =>
    load({ port, connections: 1, seconds: seconds / 2, next: () => ({ method: 'GET', path, token: large.token }) });
  const ratios: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const first = await pages('/v1/jobs?limit=20');
    const deep = await pages(`/v1/jobs?limit=20&cursor=${deepCursor}`);
    // The first pair warms up.
    if (round >= 0) ratios.push(deep.p50Ms / first.p50Ms);
  }
  return spreadOf(ratios)!;
}
