import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settings } from '../../src/platform/config/settings';
import { BenchServerProcess } from './server-process';
import type { BenchServices } from './services';

/** The measured servers; older versions of the product have no cache. */
export interface Servers {
  readonly product: BenchServerProcess;
  readonly productCached?: BenchServerProcess;
  readonly fastify: BenchServerProcess;
  readonly fastifyPipelined: BenchServerProcess;
}

/** Switches the product's cache; a version without one has nothing to compare. */
const CACHE_SETTING = 'CACHE_ENABLED';
const hasCache = CACHE_SETTING in settings.shape;

/** The environment of the product, by default with its cache off. */
export function buildProductEnvironment(
  services: BenchServices,
  { cache = false, database }: { cache?: boolean; database?: string } = {},
): Record<string, string> {
  return { ...services.buildEnvironment(database), [CACHE_SETTING]: String(cache) };
}

/**
 * Starts all servers, each in its own process; with `isProfiled` all but `fastify` write CPU profiles when they end.
 */
export async function startServers(services: BenchServices, isProfiled: boolean): Promise<Servers> {
  const profiler = isProfiled ? ['--cpu-prof', `--cpu-prof-dir=${join(tmpdir(), 'gigvault-profiles')}`] : [];
  return {
    product: await BenchServerProcess.start('product', buildProductEnvironment(services), profiler),
    ...(hasCache && {
      productCached: await BenchServerProcess.start(
        'product',
        buildProductEnvironment(services, { cache: true }),
        profiler,
      ),
    }),
    fastify: await BenchServerProcess.start('fastify', services.buildEnvironment()),
    fastifyPipelined: await BenchServerProcess.start('fastifyPipelined', services.buildEnvironment(), profiler),
  };
}
