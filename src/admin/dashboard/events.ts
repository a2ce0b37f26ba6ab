import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { Draining } from '../../platform/http/draining';
import { DashboardSessions } from './dashboard-sessions';
import { LiveViews, type LiveView } from './live-views';

/** Poll interval. */
const LOOK_EVERY_MS = 1_000;

/** Proxies cut silent connections, and the page wants to know that this one lives. */
const HEARTBEAT_MS = 15_000;

/** A look that takes longer is as good as none. */
const STALE_MS = 2_000;

/** Open pages at once, in this process and of one session: each looks at the database once a second. */
const MAX_OPEN = 24;
const MAX_OF_A_SESSION = 6;

/**
 * What changes on a page of the dashboard, as server-sent events: `parts` with the markup of the parts that have changed,
 * `stale` when they cannot be read now, `fresh` when they can again or nothing has changed for long, and `end` when the
 * admin is signed out or must confirm. The sign-in is checked before each look.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
@Injectable()
export class DashboardEvents {
  private readonly open = new Map<string, number>();

  constructor(
    private readonly system: SystemDatabase,
    private readonly sessions: DashboardSessions,
    private readonly views: LiveViews,
    private readonly draining: Draining,
  ) {}

  /**
   * Begins to watch for the admin of the request. Side effects: one security event `system.admin`, however long it lasts.
   * @throws AppError `rate.limited` when too many pages are open, `resource.not_found` for a view nobody knows
   */
  async watch(name: string, request: FastifyRequest, reply: FastifyReply): Promise<AsyncGenerator<string>> {
    const view = this.views.find(name);
    const context = { ...currentContext()! };
    const line = this.takeLine(context.principal?.sessionId ?? '', reply);
    const read = await this.system.watchAsAdmin(`watch the dashboard: ${name}`);
    const look = () =>
      runInContext(context, async () => {
        await this.sessions.authenticate(request);
        this.sessions.assertActive(request);
        return view(read);
      });
    return this.events(look, line);
  }

  /** Counts the connection from now until it closes, which it does even when nothing was ever read from it. */
  private takeLine(session: string, reply: FastifyReply): { isOpen: boolean } {
    const ofSession = this.open.get(session) ?? 0;
    const all = [...this.open.values()].reduce((sum, count) => sum + count, 0);
    if (all >= MAX_OPEN || ofSession >= MAX_OF_A_SESSION) {
      throw new AppError('rate.limited', {
        detail: 'too many pages of the dashboard are open',
        headers: { 'retry-after': '60' },
      });
    }
    this.open.set(session, ofSession + 1);
    const line = { isOpen: true };
    reply.raw.once('close', () => {
      line.isOpen = false;
      const left = (this.open.get(session) ?? 1) - 1;
      if (left === 0) this.open.delete(session);
      else this.open.set(session, left);
    });
    return line;
  }

  private async *events(look: () => ReturnType<LiveView>, line: { isOpen: boolean }): AsyncGenerator<string> {
    const known = new Map<string, string>();
    let spokeAt = Date.now();
    let isStale = false;
    yield 'retry: 5000\n\n';
    while (line.isOpen && !this.draining.isDraining) {
      const looked = changes(look, known);
      let parts = await Promise.race([looked, sleep(STALE_MS, 'stale' as const, { ref: false })]);
      if (parts === 'stale' && !isStale) yield eventOf('stale');
      if (parts === 'stale') {
        isStale = true;
        parts = await looked;
      }
      if (parts === 'over') {
        yield eventOf('end');
        return;
      }
      if (parts !== 'stale' && (parts !== null || isStale || Date.now() - spokeAt >= HEARTBEAT_MS)) {
        spokeAt = Date.now();
        isStale = false;
        yield parts === null ? eventOf('fresh') : eventOf('parts', parts);
      }
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
    }
  }
}

function eventOf(name: string, data: object = {}): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Returns the parts that have changed since the last look; 'over' when the admin may look no more, 'stale' when it failed. */
async function changes(
  look: () => ReturnType<LiveView>,
  known: Map<string, string>,
): Promise<Record<string, string> | 'over' | 'stale' | null> {
  let parts: Awaited<ReturnType<LiveView>>;
  try {
    parts = await look();
  } catch (error) {
    // What cannot be read now may be read in a second; who is signed out stays so.
    return error instanceof AppError && error.status < 500 ? 'over' : 'stale';
  }
  const changed = Object.entries(parts).filter(([name, { text }]) => known.get(name) !== text);
  for (const [name, { text }] of changed) known.set(name, text);
  return changed.length === 0 ? null : Object.fromEntries(changed.map(([name, { text }]) => [name, text]));
}
