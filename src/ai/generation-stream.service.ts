import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SessionsService } from '../auth/sessions.service';
import { handled } from '../platform/concurrency/handled';
import { FairSemaphore } from '../platform/concurrency/fair-semaphore';
import { Config } from '../platform/config/config';
import { currentContext, runInContext } from '../platform/context/request-context';
import { GenerationDto } from './dto/generation.dto';
import { GenerationFeed } from './generation-feed.service';
import { GenerationRuns } from './generation-runs.service';
import { isOver } from './generation-status';
import { Generations } from './generations.service';
import type { LiveRun } from './live-run';
import type { Piece } from './piece-buffer';

/** A silent line is cut by proxies; a comment keeps it open, and is the moment to look whether the writer still lives. */
const SILENCE_MS = 5_000;

/** A stream ends so long after its session at the latest. */
const SESSION_CHECK_MS = 1_000;

/** Poll interval for the end of a text that is complete, until it is settled. */
const BOOKING_MS = 500;

/** The sweeper settles within a minute; this is two. */
const BOOKING_LOOKS = 240;

/**
 * Shows generations as server-sent events: `delta` with an id for each piece, and at the end `done` with the generation
 * as GET shows it, or `end` when the reader's session is over. Reading is not writing: readers may come, leave and come
 * again, on any process, as many at once as a user may have.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
@Injectable()
export class GenerationStream {
  private readonly lines: FairSemaphore;

  constructor(
    private readonly generations: Generations,
    private readonly runs: GenerationRuns,
    private readonly feed: GenerationFeed,
    private readonly sessions: SessionsService,
    { ai }: Config,
  ) {
    this.lines = new FairSemaphore({
      resource: 'event streams',
      perKey: ai.streamsPerUser,
      maxWaitingPerKey: 0,
      retryAfterSeconds: 10,
    });
  }

  /**
   * Counts an event stream of the signed-in user until its connection closes, even when nothing was ever read from it.
   * @throws AppError `rate.too_many_at_once`
   */
  async takeLine(reply: FastifyReply): Promise<void> {
    const release = await this.lines.acquire(currentContext()?.principal?.userId ?? 0);
    if (reply.raw.closed) release();
    else reply.raw.once('close', release);
  }

  /**
   * Returns the events behind `after`, the id of the last one the reader has (0: none). When the pieces of a text that is
   * over are kept no more, only `done` is left, which holds it all.
   * @throws AppError `ai.generation_not_found` before the first event
   */
  async open(id: number, after: number): Promise<AsyncGenerator<string>> {
    await this.generations.get(id);
    // The generator runs when its reader asks for more, outside of the request that opened it.
    const context = { ...currentContext()! };
    return inContext(this.whileSignedIn(this.events(id, after)), (work) => runInContext(context, work));
  }

  /** Looks at the session between events and in every silence; `end` is the last event of one that is over. */
  private async *whileSignedIn(events: AsyncGenerator<string>): AsyncGenerator<string> {
    let checkedAt = performance.now();
    // A step that fails while nobody waits for it fails nothing else.
    let next = handled(events.next());
    try {
      for (;;) {
        const due = checkedAt + SESSION_CHECK_MS - performance.now();
        const event = due > 0 ? await eventWithin(next, due) : undefined;
        if (event?.done) return;
        if (event) {
          yield event.value;
          next = handled(events.next());
          continue;
        }
        if (await this.isSignedOut()) {
          yield 'event: end\ndata: {}\n\n';
          return;
        }
        checkedAt = performance.now();
      }
    } finally {
      // The step under way ends by itself, within a silence; nobody waits for it.
      events.return(undefined).catch(() => undefined);
    }
  }

  /** A session that cannot be looked at now may be looked at in a second. */
  private async isSignedOut(): Promise<boolean> {
    const { principal } = currentContext()!;
    const session = await this.sessions.live(principal?.sessionId ?? '').catch(() => undefined);
    return session === null;
  }

  private async *events(id: number, after: number): AsyncGenerator<string> {
    const run = this.runs.find(id);
    let last = after;
    yield ': the text comes piece by piece\n\n';
    for await (const piece of this.piecesOf(id, after, run)) {
      if (piece === null) {
        yield ': still writing\n\n';
        continue;
      }
      last = piece.seq;
      yield frame('delta', last, { text: piece.text });
    }
    let generation = run?.written ? GenerationDto.from(run.written) : await this.generations.get(id);
    for (let look = 0; look < BOOKING_LOOKS && !isOver(generation.status); look += 1) {
      await sleep(BOOKING_MS, undefined, { ref: false });
      yield ': being booked\n\n';
      generation = await this.generations.get(id);
    }
    yield frame('done', last + 1, generation);
  }

  private async *piecesOf(id: number, after: number, run: LiveRun | undefined): AsyncGenerator<Piece | null> {
    if (run) {
      yield* run.pieces.follow(after, SILENCE_MS);
      return;
    }
    if (isOver((await this.generations.get(id)).status)) {
      yield* await this.feed.pieces(id, after);
      return;
    }
    for await (const piece of this.feed.follow(id, after, SILENCE_MS)) {
      yield piece;
      if (piece === null && isOver((await this.generations.get(id)).status)) return;
    }
  }
}

/** Returns the next event, or undefined when it takes longer. */
async function eventWithin<T>(next: Promise<T>, ms: number): Promise<T | undefined> {
  const late = new AbortController();
  try {
    return await Promise.race([next, sleep(ms, undefined, { ref: false, signal: late.signal }).catch(() => undefined)]);
  } finally {
    late.abort();
  }
}

function frame(event: string, id: number, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Gives a generator the context it was made in, at every step. */
async function* inContext<T>(source: AsyncGenerator<T>, enter: <R>(work: () => R) => R): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await enter(() => source.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await enter(() => source.return(undefined));
  }
}
