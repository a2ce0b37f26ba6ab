import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { FairSemaphore } from '../platform/concurrency/fair-semaphore';
import { Config } from '../platform/config/config';
import { currentContext, runInContext, type RequestContext } from '../platform/context/request-context';
import { SystemDatabase } from '../platform/database/system-database';
import { AiGeneration } from './ai-generation.entity';
import { callVendor } from './call-vendor';
import { GenerationFeed } from './generation-feed.service';
import { Ledger } from './ledger.service';
import { LiveRun, type RunOrder } from './live-run';
import { outcomeOf } from './outcome';

/** How often this process says that it lives; the sweeper takes it for dead after several of these. */
const RENEW_EVERY_MS = 2_000;

/** Calls of each model, with a pause that grows. */
const TRIES = 2;
const RETRY_PAUSE_MS = 250;

/** Attempts to write the end of a generation, a second apart; then the sweeper settles it. */
const SETTLE_TRIES = 5;

/** How long a stopping process lets vendors finish. */
const STOP_PATIENCE_MS = 5_000;

/** A place among the runs of this process, which may have to wait for its turn. */
export interface RunPlace {
  readonly turn: Promise<unknown>;
  /** Gives it back, now or as soon as it is taken. */
  readonly release: () => void;
}

/**
 * Writes generations: calls vendors, one after the other until one writes, and books how it ended. It belongs to no
 * request: a client that leaves changes nothing. No transaction and no connection is held while a vendor writes.
 */
@Injectable()
export class GenerationRuns implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(GenerationRuns.name);
  private readonly live = new Map<number, LiveRun>();
  private readonly ends = new Map<number, Promise<AiGeneration | undefined>>();
  private readonly places: FairSemaphore;
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly feed: GenerationFeed,
    private readonly ledger: Ledger,
  ) {
    const { runsPerUser: perKey, runs: total } = config.ai;
    this.places = new FairSemaphore({
      resource: 'drafts',
      perKey,
      total,
      maxWaitingPerKey: perKey,
      maxWaiting: total,
      retryAfterSeconds: 10,
    });
  }

  onModuleInit(): void {
    this.feed.hearCancel((generationId) => this.live.get(generationId)?.cancellation.abort());
    this.renewal = setInterval(() => void this.renew(), RENEW_EVERY_MS);
    this.renewal.unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.race([Promise.all(this.ends.values()), sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
    for (const run of this.live.values()) {
      run.isStopped = true;
      run.cancellation.abort();
    }
    await Promise.race([Promise.all(this.ends.values()), sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
    clearInterval(this.renewal);
  }

  /**
   * Takes a place for another run of the signed-in user, or one in their queue.
   * @throws AppError `rate.too_many_at_once`, at once, when the queue is full
   */
  async admit(): Promise<RunPlace> {
    const turn = this.places.acquire(currentContext()?.principal?.userId ?? 0);
    // It is refused before the next turn of the event loop, or never.
    await Promise.race([turn, nextTurn()]);
    return { turn, release: () => void turn.then((release) => release()) };
  }

  /**
   * Writes the generation when its place has its turn, and gives the place back. `finished` resolves when the final state
   * is in the database. Needs a tenant's context, outside of a unit.
   */
  start(order: RunOrder, place: RunPlace): LiveRun {
    const run = new LiveRun(order, this.feed.writer(order.generationId));
    this.live.set(order.generationId, run);
    // A context of its own: the request's may be reused, and its unit is over.
    const context = { ...currentContext() } as RequestContext;
    const end = runInContext(context, () => this.write(run, place)).finally(() => this.forget(run));
    this.ends.set(order.generationId, end);
    return run;
  }

  /** The generation when this process writes it. */
  find(generationId: number): LiveRun | undefined {
    return this.live.get(generationId);
  }

  /** Waits until this process has written the generation to its end and returns it; undefined when another writes it. */
  async finished(generationId: number): Promise<AiGeneration | undefined> {
    return this.ends.get(generationId);
  }

  private forget(run: LiveRun): void {
    run.close();
    this.live.delete(run.order.generationId);
    this.ends.delete(run.order.generationId);
  }

  /** Never rejects: nobody may be waiting for it. */
  private async write(run: LiveRun, place: RunPlace): Promise<AiGeneration | undefined> {
    try {
      await this.callVendorsInTurn(run, place);
      run.finish();
    } catch (error) {
      this.logger.error(`generation ${run.order.generationId} failed: ${messageOf(error)}`);
    }
    try {
      run.written = await this.settle(run);
    } catch (error) {
      this.logger.error(`generation ${run.order.generationId} could not be settled: ${messageOf(error)}`);
    }
    return run.written;
  }

  private async callVendorsInTurn(run: LiveRun, place: RunPlace): Promise<void> {
    const { signal } = run.cancellation;
    const isCancelled = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    try {
      await Promise.race([place.turn, isCancelled]);
      await this.callVendors(run);
    } finally {
      place.release();
    }
  }

  /** Retries and other vendors come only before the first byte: after it the reader has half of another text. */
  private async callVendors(run: LiveRun): Promise<void> {
    for (const [place, candidate] of run.order.candidates.entries()) {
      for (let attempt = 1; attempt <= TRIES; attempt += 1) {
        if (run.cancellation.signal.aborted) return;
        if (!this.canAfford(run, place)) break;
        if (attempt > 1)
          await sleep(RETRY_PAUSE_MS * attempt, undefined, { signal: run.cancellation.signal }).catch(() => undefined);
        const limits = { ...this.config.ai, cancelled: run.cancellation.signal };
        const call = await callVendor(
          candidate,
          run.order.prompt,
          limits,
          run.begin(candidate, limits.maxOutputAiTokens),
          {
            onText: (text) => run.hear(text),
            onEnd: (reason) => (run.endReason = reason),
          },
        );
        run.end(call);
        if (call.status === 'succeeded' || call.status === 'cancelled' || run.pieces.last > 0) return;
        if (!call.isTransient) break;
      }
    }
  }

  /** What a try before has cost must leave room for the worst case of the next within the reservation. */
  private canAfford(run: LiveRun, place: number): boolean {
    const spent = run.calls.reduce((sum, { cost }) => sum + cost, 0n);
    return spent + run.order.worstCosts[place]! <= run.order.reserved;
  }

  private async settle(run: LiveRun): Promise<AiGeneration | undefined> {
    const { generationId } = run.order;
    const outcome = outcomeOf(run);
    for (let attempt = 1; attempt <= SETTLE_TRIES; attempt += 1) {
      try {
        return await this.ledger.unit(async (unit) => {
          const generations = unit.of(AiGeneration);
          const [reserved, generation] = await Promise.all([
            this.ledger.end(unit, generationId),
            generations.find(generationId, { lock: true }),
          ]);
          if (reserved === undefined || !generation) return undefined;
          const [ended] = await Promise.all([
            generations.update(generation, outcome),
            this.ledger.settle(unit, generationId, run.calls, reserved),
          ]);
          return ended;
        });
      } catch (error) {
        this.logger.warn(`generation ${generationId} is not settled yet: ${messageOf(error)}`);
        await sleep(1_000, undefined, { ref: false });
      }
    }
    return undefined;
  }

  /** One statement for all that this process writes. Never rejects: it runs in a timer. */
  private async renew(): Promise<void> {
    try {
      const figures = [...this.live.values()].flatMap((run) => this.figuresOf(run));
      if (figures.length === 0) return;
      await this.system.asScheduler((unit) =>
        unit.query('SELECT app.renew_ai_runs($1::jsonb)', [JSON.stringify(figures)]),
      );
    } catch (error) {
      this.logger.warn(`AI calls under way were not renewed: ${messageOf(error)}`);
    }
  }

  /** One run whose figures cannot be read must not keep the others from being renewed. */
  private figuresOf(run: LiveRun): LiveRun['figures'][] {
    try {
      return [run.figures];
    } catch (error) {
      this.logger.error(`generation ${run.order.generationId} cannot be renewed: ${messageOf(error)}`);
      return [];
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
