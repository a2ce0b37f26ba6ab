import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SessionsService } from '../../auth/sessions/sessions.service';
import { markHandled, FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { Config } from '../../platform/config/config';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { formatEvent, runStepsInContext } from '../../platform/http/responses/event-stream';
import { GenerationDto } from './generations.dto';
import { GenerationStreamStoreService } from './generation-stream-store.service';
import { GenerationRunnerService } from './generation-runner.service';
import { isFinished } from './ai-generation.entity';
import { GenerationsService } from './generations.service';
import type { ActiveGeneration } from './active-generation';
import type { Chunk } from './chunk-buffer';

/** Proxies close silent connections: a comment keeps them open. Each one also checks whether the writer is alive. */
const HEARTBEAT_MS = 5_000;

/** Maximum time between the end of a session and the end of its streams. */
const SESSION_CHECK_MS = 1_000;

/** Poll interval while a complete text is not settled yet. */
const SETTLEMENT_POLL_MS = 500;

/** Two minutes; the task `end-orphaned-ai-calls` settles within one. */
const MAX_SETTLEMENT_POLLS = 240;

/**
 * Streams generations as server-sent events: `delta` with an id for each chunk, then `done` with the generation as GET
 * returns it. `end` is sent instead when the reader's session is over. Reading is independent of writing: readers may
 * reconnect at any time, to any process, within the limit of streams per user.
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
   * Reserves an event stream for the signed-in user until its connection closes, even when nothing is read from it.
   * @throws AppError `rate.too_many_at_once`
   */
  async reserveStream(reply: FastifyReply): Promise<void> {
    const release = await this.streamSlots.acquire(currentContext()?.principal?.userId ?? 0);
    if (reply.raw.closed) release();
    else reply.raw.once('close', release);
  }

  /**
   * Returns the events after `after`, the id of the reader's last event (0: none). When the chunks of a finished text
   * have expired, only `done` is sent; it holds the whole text.
   * @throws AppError `ai.generation_not_found` before the first event
   */
  async open(id: number, after: number): Promise<AsyncGenerator<string>> {
    await this.generations.get(id);
    // The generator runs when the reader pulls, outside the request that opened it.
    const context = { ...currentContext()! };
    return runStepsInContext(this.limitToSession(this.generateEvents(id, after)), (work) =>
      runInContext(context, work),
    );
  }

  /** Checks the session between events and during silence. `end` is the last event after the session is over. */
  private async *limitToSession(events: AsyncGenerator<string>): AsyncGenerator<string> {
    let checkedAt = performance.now();
    // Prevents an unhandled rejection while the step is not awaited.
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
      // The current step ends by itself within the heartbeat interval; it is not awaited.
      events.return(undefined).catch(() => undefined);
    }
  }

  /** A session that cannot be read now is checked again in a second. */
  private async isSignedOut(): Promise<boolean> {
    const { principal } = currentContext()!;
    const session = await this.sessions.findLive(principal?.sessionId ?? '').catch(() => undefined);
    return session === null;
  }

  private async *generateEvents(id: number, after: number): AsyncGenerator<string> {
    const run = this.runner.find(id);
    let last = after;
    yield ': the text follows in chunks\n\n';
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
      yield ': settling the cost\n\n';
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
    let isOver = isFinished((await this.generations.get(id)).status);
    if (isOver && !(await this.streamStore.hasChunks(id))) return;
    // The database may show the end before the last chunks arrive. They are missing only when the writer has died.
    for await (const chunk of this.streamStore.follow(id, after, HEARTBEAT_MS)) {
      yield chunk;
      if (chunk !== null) continue;
      if (isOver) return;
      isOver = isFinished((await this.generations.get(id)).status);
    }
  }
}

/** Returns the next event, or undefined after `ms`. */
async function waitForEvent<T>(next: Promise<T>, ms: number): Promise<T | undefined> {
  const late = new AbortController();
  try {
    return await Promise.race([next, sleep(ms, undefined, { ref: false, signal: late.signal }).catch(() => undefined)]);
  } finally {
    late.abort();
  }
}
