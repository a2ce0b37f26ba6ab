import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** How long accepted requests may take to finish; after that their connections are cut. */
const MAX_DRAIN_MS = 10_000;

/**
 * Ends the HTTP service in order. From `begin` on, readiness answers not ready and answers carry `connection: close`, while
 * the port stays open. When Nest closes the application, accepted requests finish within 10 seconds. Pools must outlive
 * them: they close in `onApplicationShutdown`, which Nest calls when the server has closed.
 */
@Injectable()
export class DrainingService implements OnModuleDestroy {
  private isBegun = false;

  constructor(private readonly host: HttpAdapterHost) {}

  /** True from the beginning of the end on. */
  get isDraining(): boolean {
    return this.isBegun;
  }

  /** Turns readiness to not ready; requests are still served. */
  begin(): void {
    this.isBegun = true;
  }

  onModuleDestroy(): void {
    this.begin();
    const fastify = this.host.httpAdapter?.getInstance<FastifyInstance | undefined>();
    setTimeout(() => fastify?.server.closeAllConnections(), MAX_DRAIN_MS).unref();
  }

  /** Tells each client whose answer leaves while draining to come back on another connection. */
  register(fastify: FastifyInstance): void {
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      if (this.isBegun) void reply.header('connection', 'close');
      done(null, payload);
    });
  }
}
