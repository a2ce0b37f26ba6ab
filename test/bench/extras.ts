import { performance } from 'node:perf_hooks';
import { withClient } from '../../src/local-services/database-setup';
import { measureAuditCost, type AuditCost } from './audit-cost';
import { selectHotJobs, type BenchUsers } from './bench-users';
import type { DataSize } from './data-set';
import { measureImports, measureStream, type ImportRate, type StreamMemory } from './import-speed';
import { runLoad } from './load';
import { measureLogins, type Logins } from './logins';
import { measurePipelineCost, type PipelineCost } from './pipeline-cost';
import { summarize, type OperationResult } from './result';
import { measure, type BenchEnvironment } from './rounds';
import type { BenchServices } from './services';
import { computeSpread, type Spread } from './statistics';
import { measureScaling, type ScalingResult } from './scaling';

/** Further results, of the product with its cache off unless stated otherwise. */
export interface Extras {
  /** Operation a on 500 jobs, which soon are cached; null for a product without a cache. */
  readonly hot: OperationResult | null;
  readonly import: ImportRate;
  readonly stream: StreamMemory;
  readonly logins: Logins;
  readonly refreshMs: number;
  /** Time of page 15,000 of the large tenant relative to page 1. */
  readonly deepPage: Spread;
  readonly audit: AuditCost;
  /** A read through pg's pipeline relative to our own; absent in older results. */
  readonly pipeline?: PipelineCost;
  /** Time of a request with ten times the users, relative to that without; null if not requested. */
  readonly scaling: ScalingResult | null;
}

/** The number of repetitions. */
export interface ExtrasOptions extends DataSize {
  readonly seconds: number;
  readonly rounds: number;
  readonly importRows: number;
  readonly streamRows: number;
  /** Blocks of pg's pipeline and of our own. */
  readonly pipelineBlocks: number;
  readonly hasTenfold: boolean;
}

/**
 * Measures them one after the other, after the operations' writes are cleared up; what creates many rows comes last.
 */
export async function measureExtras(
  benchEnvironment: BenchEnvironment,
  services: BenchServices,
  options: ExtrasOptions,
): Promise<Extras> {
  const { users: benchUsers } = benchEnvironment;
  const { product } = benchEnvironment.servers;
  await removeWrittenRows(services);
  return {
    hot: await measureHotReads(benchEnvironment, options),
    logins: await measureLogins(benchEnvironment, options),
    refreshMs: await measureRefresh(services),
    deepPage: await deepPage(product.port, benchUsers, options),
    audit: await measureAuditCost(benchEnvironment, services, options),
    pipeline: await measurePipelineCost(services, options.pipelineBlocks),
    import: await measureImports(product.port, benchUsers, services, options),
    stream: await measureStream(product, benchUsers, options.streamRows),
    scaling: options.hasTenfold ? await measureScaling(benchEnvironment, services, options) : null,
  };
}

/** Does now what PostgreSQL would else do during the first measurement: the operations end with the writes. */
async function removeWrittenRows(services: BenchServices): Promise<void> {
  await withClient(services.buildUrl('superuser'), async (client) => {
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  });
}

async function measureHotReads(
  benchEnvironment: BenchEnvironment,
  { rounds, seconds }: ExtrasOptions,
): Promise<Extras['hot']> {
  if (!benchEnvironment.servers.productCached) return null;
  const reads = { ...benchEnvironment, users: selectHotJobs(benchEnvironment.users) };
  const contenders = ['fastify', 'product', 'productCached'] as const;
  const options = { rounds, seconds, connections: 16, warmUpRequests: 2_000, contenders };
  return summarize(await measure(reads, 'a', options));
}

async function measureRefresh(services: BenchServices): Promise<number> {
  return withClient(services.buildUrl('superuser'), async (client) => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      await client.query('SELECT refresh_user_job_stats()');
      times.push(performance.now() - began);
    }
    return Math.round(computeSpread(times)!.median);
  });
}

async function deepPage(
  port: number,
  { largeTenant: large, deepCursor }: BenchUsers,
  { seconds, rounds }: ExtrasOptions,
): Promise<Spread> {
  const pages = (path: string) =>
    runLoad({ port, connections: 1, seconds: seconds / 2, next: () => ({ method: 'GET', path, token: large.token }) });
  const ratios: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const first = await pages('/v1/jobs?limit=20');
    const deep = await pages(`/v1/jobs?limit=20&cursor=${deepCursor}`);
    // The first pair is a warm-up.
    if (round >= 0) ratios.push(deep.p50Ms / first.p50Ms);
  }
  return computeSpread(ratios)!;
}
