import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { DrainingService } from '../../platform/http/edge/draining.service';
import { DashboardSessionsService } from './dashboard-sessions.service';
import { type LivePartsReader, LivePartsService } from './live-parts.service';

const POLL_INTERVAL_MS = 1_000;

/** Keeps proxies from closing a silent connection and shows the page that it is live. */
const HEARTBEAT_MS = 15_000;

/** A read that takes longer is reported as `stale`. */
const STALE_AFTER_MS = 2_000;

/** Maximum open streams of this process and of one session: each polls the database every second. */
const MAX_STREAMS = 24;
const MAX_STREAMS_PER_SESSION = 6;

/**
 * Streams the changes of a page as server-sent events: `parts` with the markup of changed parts, `stale` when they
 * cannot be read, `fresh` when they can be read again or as a heartbeat, and `end` when the admin is signed out or must
 * confirm their identity. The sign-in is checked before each read.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
@Injectable()
export class EventStreamsService {
  private readonly openStreams = new Map<string, number>();

  constructor(
    private readonly system: SystemDatabase,
    private readonly sessions: DashboardSessionsService,
    private readonly liveParts: LivePartsService,
    private readonly draining: DrainingService,
  ) {}

  /**
   * Opens a stream for the admin of the request. Side effects: one security event `system.admin` per stream.
   * @throws AppError `rate.limited` when too many pages are open, `resource.not_found` for an unknown view
   */
  async openStream(name: string, request: FastifyRequest, reply: FastifyReply): Promise<AsyncGenerator<string>> {
    const view = this.liveParts.findReader(name);
    const context = { ...currentContext()! };
    const connection = this.reserveStream(context.principal?.sessionId ?? '', reply);
    const read = await this.system.openAdminView(`watch the dashboard: ${name}`);
    const readParts = () =>
      runInContext(context, async () => {
        await this.sessions.authenticate(request);
        this.sessions.assertActive(request);
        return view(read);
      });
    return this.pollEvents(readParts, connection);
  }

  /** Counts the connection until it closes, even if the stream is never read. */
  private reserveStream(session: string, reply: FastifyReply): { isOpen: boolean } {
    const sessionStreams = this.openStreams.get(session) ?? 0;
    const allStreams = [...this.openStreams.values()].reduce((sum, count) => sum + count, 0);
    if (allStreams >= MAX_STREAMS || sessionStreams >= MAX_STREAMS_PER_SESSION) {
      throw new AppError('rate.limited', {
        detail: 'Too many pages of the dashboard are open. Close some and try again.',
        headers: { 'retry-after': '60' },
      });
    }
    this.openStreams.set(session, sessionStreams + 1);
    const connection = { isOpen: true };
    reply.raw.once('close', () => {
      connection.isOpen = false;
      const left = (this.openStreams.get(session) ?? 1) - 1;
      if (left === 0) this.openStreams.delete(session);
      else this.openStreams.set(session, left);
    });
    return connection;
  }

  private async *pollEvents(
    readParts: () => ReturnType<LivePartsReader>,
    connection: { isOpen: boolean },
  ): AsyncGenerator<string> {
    const known = new Map<string, string>();
    let sentAt = Date.now();
    let isStale = false;
    yield 'retry: 5000\n\n';
    while (connection.isOpen && !this.draining.isDraining) {
      const reading = readChanges(readParts, known);
      let parts = await Promise.race([reading, sleep(STALE_AFTER_MS, 'stale' as const, { ref: false })]);
      if (parts === 'stale' && !isStale) yield formatEvent('stale');
      if (parts === 'stale') {
        isStale = true;
        parts = await reading;
      }
      if (parts === 'over') {
        yield formatEvent('end');
        return;
      }
      if (parts !== 'stale' && (parts !== null || isStale || Date.now() - sentAt >= HEARTBEAT_MS)) {
        sentAt = Date.now();
        isStale = false;
        yield parts === null ? formatEvent('fresh') : formatEvent('parts', parts);
      }
      await sleep(POLL_INTERVAL_MS, undefined, { ref: false });
    }
  }
}

function formatEvent(name: string, data: object = {}): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * Returns the parts changed since the last read; 'over' when the admin has lost access, 'stale' when the read failed.
 */
async function readChanges(
  readParts: () => ReturnType<LivePartsReader>,
  known: Map<string, string>,
): Promise<Record<string, string> | 'over' | 'stale' | null> {
  let parts: Awaited<ReturnType<LivePartsReader>>;
  try {
    parts = await readParts();
  } catch (error) {
    // Server errors may be temporary; a lost sign-in is not.
    return error instanceof AppError && error.status < 500 ? 'over' : 'stale';
  }
  const changed = Object.entries(parts).filter(([name, part]) => known.get(name) !== part);
  for (const [name, part] of changed) known.set(name, part);
  return changed.length === 0 ? null : Object.fromEntries(changed);
}
