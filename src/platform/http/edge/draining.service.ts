import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** Time for accepted requests to finish. After it their connections are closed. */
const MAX_DRAIN_MS = 10_000;

/**
 * Stops the HTTP service gracefully. After `begin` readiness fails and responses carry `connection: close`, while the
 * port stays open. When Nest closes the application, accepted requests have 10 seconds to finish. Pools must outlive
 * them, so they close in `onApplicationShutdown`, which Nest calls after the server has closed.
 */
@Injectable()
export class DrainingService implements OnModuleDestroy {
  private isBegun = false;

  constructor(private readonly host: HttpAdapterHost) {}

  /** True after `begin`. */
  get isDraining(): boolean {
    return this.isBegun;
  }

  /** Makes readiness fail. Requests are still served. */
  begin(): void {
    this.isBegun = true;
  }

  onModuleDestroy(): void {
    this.begin();
    const fastify = this.host.httpAdapter?.getInstance<FastifyInstance | undefined>();
    setTimeout(() => fastify?.server.closeAllConnections(), MAX_DRAIN_MS).unref();
  }

  /** Adds `connection: close` to responses while draining, so that clients open another connection. */
  register(fastify: FastifyInstance): void {
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      if (this.isBegun) void reply.header('connection', 'close');
      done(null, payload);
    });
  }
}
