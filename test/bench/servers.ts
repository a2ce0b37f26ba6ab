import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settings } from '../../src/platform/config/settings';
import { ServerProcess } from './server-process';
import type { BenchServices } from './services';

/** The servers under measurement; the cached product is missing from versions that have no cache. */
export interface Servers {
  readonly product: ServerProcess;
  readonly productCached?: ServerProcess;
  readonly fastify: ServerProcess;
  readonly fastifyPipelined: ServerProcess;
}

/** Switches the product's cache; a version without it has nothing to compare. */
const CACHE = 'CACHE_ENABLED';
const hasCache = CACHE in settings.shape;

/** The environment of the product, by default with its cache off. */
export function productEnvironment(
  services: BenchServices,
  { cache = false, database }: { cache?: boolean; database?: string } = {},
): Record<string, string> {
  return { ...services.environment(database), [CACHE]: String(cache) };
}

/** Starts them all, each in a process of its own; with `isProfiled` all but `fastify` leave CPU profiles when they end. */
export async function startServers(services: BenchServices, isProfiled: boolean): Promise<Servers> {
  const profiler = isProfiled ? ['--cpu-prof', `--cpu-prof-dir=${join(tmpdir(), 'gigvault-profiles')}`] : [];
  return {
    product: await ServerProcess.start('product', productEnvironment(services), profiler),
    ...(hasCache && {
      productCached: await ServerProcess.start('product', productEnvironment(services, { cache: true }), profiler),
    }),
    fastify: await ServerProcess.start('fastify', services.environment()),
    fastifyPipelined: await ServerProcess.start('fastifyPipelined', services.environment(), profiler),
  };
}
