import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { Draining } from '../../platform/http/draining';
import { DashboardSessions } from './dashboard-sessions';
import { LiveViews, type LiveView } from './live-views';

/** How often is looked. */
const LOOK_EVERY_MS = 1_000;

/** A silent line is cut by proxies; a comment keeps it open. */
const HEARTBEAT_MS = 15_000;

/** Open pages at once, in this process and of one session: each looks at the database once a second. */
const MAX_OPEN = 24;
const MAX_OF_A_SESSION = 6;

/**
 * What changes on a page of the dashboard, as server-sent events: `parts` with the markup of the parts that have changed,
 * and `end` when the admin is signed out or must confirm himself. The sign-in is asked anew before each look.
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
    const context = { ...currentContext()!, unit: undefined };
    const line = this.takeLine(context.principal?.sessionId ?? '', reply);
    const read = await this.system.watchAsAdmin(`watch the dashboard: ${name}`);
    const look = () =>
      runInContext(context, async () => {
        await this.sessions.assertFresh(await this.sessions.authenticate(request));
        return view(read);
      });
    return this.events(look, line);
  }

  /** Counts the connection from now until it closes, which it does even when nothing was ever read from it. */
  private takeLine(session: string, reply: FastifyReply): { isOpen: boolean } {
    const ofSession = this.open.get(session) ?? 0;
    const all = [...this.open.values()].reduce((sum, count) => sum + count, 0);
    if (all >= MAX_OPEN || ofSession >= MAX_OF_A_SESSION) {
      throw new AppError('rate.limited', { detail: 'too many pages of the dashboard are open', headers: { 'retry-after': '60' } });
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
    yield 'retry: 5000\n\n';
    while (line.isOpen && !this.draining.isDraining) {
      const parts = await changes(look, known);
      if (parts === 'over') {
        yield 'event: end\ndata: {}\n\n';
        return;
      }
      const isSilent = parts === null && Date.now() - spokeAt < HEARTBEAT_MS;
      if (!isSilent) {
        spokeAt = Date.now();
        yield parts === null ? ': nothing has changed\n\n' : `event: parts\ndata: ${JSON.stringify(parts)}\n\n`;
      }
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
    }
  }
}

/** The parts that are not as they were last told; 'over' when the admin may look no more. */
async function changes(look: () => ReturnType<LiveView>, known: Map<string, string>): Promise<Record<string, string> | 'over' | null> {
  let parts: Awaited<ReturnType<LiveView>>;
  try {
    parts = await look();
  } catch (error) {
    // What cannot be read now may be read in a second; who is signed out stays so.
    return error instanceof AppError && error.status < 500 ? 'over' : null;
  }
  const changed = Object.entries(parts).filter(([name, { text }]) => known.get(name) !== text);
  for (const [name, { text }] of changed) known.set(name, text);
  return changed.length === 0 ? null : Object.fromEntries(changed.map(([name, { text }]) => [name, text]));
}
