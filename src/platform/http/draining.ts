import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** How long accepted requests may take to finish; after that their connections are cut. */
const MAX_DRAIN_MS = 10_000;

/**
 * Ends the process's service in order: from the moment it is told to stop it says so (readiness, `connection: close`),
 * finishes what it accepted, and is done after 10 seconds in any case. Pools must outlive it: they close in
 * `onApplicationShutdown`, which Nest calls when the server has closed.
 */
@Injectable()
export class Draining implements OnModuleDestroy {
  private begun = false;

  constructor(private readonly host: HttpAdapterHost) {}

  /** Whether the process is on its way out. */
  get isDraining(): boolean {
    return this.begun;
  }

  onModuleDestroy(): void {
    this.begun = true;
    const fastify = this.host.httpAdapter?.getInstance<FastifyInstance | undefined>();
    setTimeout(() => fastify?.server.closeAllConnections(), MAX_DRAIN_MS).unref();
  }

  /** Tells each client whose answer leaves while draining to come back on another connection. */
  register(fastify: FastifyInstance): void {
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      if (this.begun) void reply.header('connection', 'close');
      done(null, payload);
    });
  }
}
