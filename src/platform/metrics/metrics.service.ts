import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CacheStats } from '../cache/cache-stats';
import { PoolStatisticsService } from '../database/driver/role-pools';

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The metrics of this process in the format of Prometheus. */
@Injectable()
export class MetricsService {
  /** The registry, also for the metrics of other modules. */
  readonly registry = new Registry();
  private readonly durations: Histogram<'method' | 'route' | 'status'>;
  private readonly labelledMetrics = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>();

  constructor(pools: PoolStatisticsService, cache: CacheStats) {
    // Process, heap, garbage collection and event loop lag.
    collectDefaultMetrics({ register: this.registry });
    this.durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to its response, by route pattern.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers: [this.registry],
    });
    new Gauge({
      name: 'database_pool_connections',
      help: 'Connections of a pool: total, idle, and requests waiting for one.',
      labelNames: ['role', 'state'],
      registers: [this.registry],
      collect() {
        for (const { role, total, idle, waiting } of pools.list()) {
          this.set({ role, state: 'total' }, total);
          this.set({ role, state: 'idle' }, idle);
          this.set({ role, state: 'waiting' }, waiting);
        }
      },
    });
    this.registerCacheMetrics(cache);
  }

  /** Measures every request. Unknown paths share one label, since their number is unlimited. */
  register(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      this.findDurations(request.method, request.routeOptions.url ?? 'unknown', reply.statusCode).observe(
        reply.elapsedTime / 1_000,
      );
      done();
    });
  }

  /** Exposes the counters of the cache. Looking up a label for each read would cost more than the read. */
  private registerCacheMetrics(cache: CacheStats): void {
    new Counter({
      name: 'cache_reads_total',
      help: 'Reads through the cache by source: memory, redis, database, or bypassed (cache off or not usable).',
      labelNames: ['from'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const from of ['memory', 'redis', 'database', 'bypassed'] as const) this.inc({ from }, cache[from]);
      },
    });
    new Counter({
      name: 'cache_bumps_total',
      help: 'Cache versions of tenants that this process changed: own writes, and others it saw first.',
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(cache.bumps);
      },
    });
  }

  /** Returns the histogram of these labels. Cached, since prom-client checks and joins labels on each call. */
  private findDurations(
    method: string,
    route: string,
    status: number,
  ): Histogram.Internal<'method' | 'route' | 'status'> {
    const key = `${method} ${status} ${route}`;
    let durations = this.labelledMetrics.get(key);
    if (!durations) this.labelledMetrics.set(key, (durations = this.durations.labels({ method, route, status })));
    return durations;
  }
}
