import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SessionsService } from '../../auth/sessions/sessions.service';
import { markHandled } from '../../platform/concurrency/mark-handled';
import { FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { Config } from '../../platform/config/config';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { GenerationDto } from './generations.dto';
import { GenerationStreamStoreService } from './generation-stream-store.service';
import { GenerationRunnerService } from './generation-runner.service';
import { isFinished } from './ai-generation.entity';
import { GenerationsService } from './generations.service';
import type { ActiveGeneration } from './active-generation';
import type { Chunk } from './chunk-buffer';

/** A silent line is cut by proxies; a comment keeps it open, and is the moment to look whether the writer still lives. */
const HEARTBEAT_MS = 5_000;

/** A stream ends so long after its session at the latest. */
const SESSION_CHECK_MS = 1_000;

/** Poll interval for the end of a text that is complete, until it is settled. */
const SETTLEMENT_POLL_MS = 500;

/** The sweeper settles within a minute; this is two. */
const MAX_SETTLEMENT_POLLS = 240;

/**
 * Shows generations as server-sent events: `delta` with an id for each piece, and at the end `done` with the generation
 * as GET shows it, or `end` when the reader's session is over. Reading is not writing: readers may come, leave and come
 * again, on any process, as many at once as a user may have.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
@Injectable()
export class GenerationEventsService {
  private readonly streamSlots: FairSemaphore;

  constructor(
    private readonly generations: GenerationsService,
    private readonly runner: GenerationRunnerService,
    private readonly streamStore: GenerationStreamStoreService,
    private readonly sessions: SessionsService,
    { ai }: Config,
  ) {
    this.streamSlots = new FairSemaphore({
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
  async reserveStream(reply: FastifyReply): Promise<void> {
    const release = await this.streamSlots.acquire(currentContext()?.principal?.userId ?? 0);
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
    return runStepsInContext(this.limitToSession(this.generateEvents(id, after)), (work) =>
      runInContext(context, work),
    );
  }

  /** Looks at the session between events and in every silence; `end` is the last event of one that is over. */
  private async *limitToSession(events: AsyncGenerator<string>): AsyncGenerator<string> {
    let checkedAt = performance.now();
    // A step that fails while nobody waits for it fails nothing else.
    let next = markHandled(events.next());
    try {
      for (;;) {
        const due = checkedAt + SESSION_CHECK_MS - performance.now();
        const event = due > 0 ? await waitForEvent(next, due) : undefined;
        if (event?.done) return;
        if (event) {
          yield event.value;
          next = markHandled(events.next());
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
    const session = await this.sessions.findLive(principal?.sessionId ?? '').catch(() => undefined);
    return session === null;
  }

  private async *generateEvents(id: number, after: number): AsyncGenerator<string> {
    const run = this.runner.find(id);
    let last = after;
    yield ': the text comes piece by piece\n\n';
    for await (const chunk of this.readChunks(id, after, run)) {
      if (chunk === null) {
        yield ': still writing\n\n';
        continue;
      }
      last = chunk.seq;
      yield formatEvent('delta', last, { text: chunk.text });
    }
    let generation = run?.savedGeneration ? GenerationDto.from(run.savedGeneration) : await this.generations.get(id);
    for (let poll = 0; poll < MAX_SETTLEMENT_POLLS && !isFinished(generation.status); poll += 1) {
      await sleep(SETTLEMENT_POLL_MS, undefined, { ref: false });
      yield ': being booked\n\n';
      generation = await this.generations.get(id);
    }
    yield formatEvent('done', last + 1, generation);
  }

  private async *readChunks(
    id: number,
    after: number,
    run: ActiveGeneration | undefined,
  ): AsyncGenerator<Chunk | null> {
    if (run) {
      yield* run.chunks.follow(after, HEARTBEAT_MS);
      return;
    }
    if (isFinished((await this.generations.get(id)).status)) {
      yield* await this.streamStore.readChunks(id, after);
      return;
    }
    for await (const chunk of this.streamStore.follow(id, after, HEARTBEAT_MS)) {
      yield chunk;
      if (chunk === null && isFinished((await this.generations.get(id)).status)) return;
    }
  }
}

/** Returns the next event, or undefined when it takes longer. */
async function waitForEvent<T>(next: Promise<T>, ms: number): Promise<T | undefined> {
  const late = new AbortController();
  try {
    return await Promise.race([next, sleep(ms, undefined, { ref: false, signal: late.signal }).catch(() => undefined)]);
  } finally {
    late.abort();
  }
}

function formatEvent(event: string, id: number, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Gives a generator the context it was made in, at every step. */
async function* runStepsInContext<T>(source: AsyncGenerator<T>, enter: <R>(work: () => R) => R): AsyncGenerator<T> {
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
