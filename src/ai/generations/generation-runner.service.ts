import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { Config } from '../../platform/config/config';
import { currentContext, runInContext, type RequestContext } from '../../platform/context/request-context';
import { SystemDatabase } from '../../platform/database/system-database';
import { AiGeneration } from './ai-generation.entity';
import { callProvider } from '../providers/call-provider';
import { GenerationStreamStoreService } from './generation-stream-store.service';
import { UsageLedgerService } from '../usage/usage-ledger.service';
import { ActiveGeneration, buildOutcome, type GenerationRequest } from './active-generation';

/** Renewal interval; the task `end-orphaned-ai-calls` considers a process dead after several missed ones. */
const RENEW_INTERVAL_MS = 2_000;

const ATTEMPTS_PER_MODEL = 2;

/** Attempts to save the result, a second apart; then `end-orphaned-ai-calls` settles the generation. */
const MAX_SETTLE_ATTEMPTS = 5;

/** Time for ended calls to be settled when the process stops. */
const SHUTDOWN_SETTLE_MS = 5_000;

/** Slot for a run in this process; may still be queued. */
export interface GenerationSlot {
  readonly acquired: Promise<unknown>;
  /** Releases the slot, now or as soon as it is acquired. */
  readonly release: () => void;
}

/**
 * Runs generations: calls providers in order until one writes, then settles the cost. A run belongs to no request: it
 * continues when the client disconnects. Holds no transaction or connection while a provider writes.
 */
@Injectable()
export class GenerationRunnerService implements OnModuleInit, BeforeApplicationShutdown {
  /** Time for running calls to finish when the process stops; shorter in tests. */
  shutdownWaitMs = 5_000;
  /** Delay before the second attempt of a model; shorter in tests. */
  retryDelayMs = 500;
  private readonly logger = new Logger(GenerationRunnerService.name);
  private readonly activeById = new Map<number, ActiveGeneration>();
  private readonly completions = new Map<number, Promise<AiGeneration | undefined>>();
  private readonly slots: FairSemaphore;
  private renewalTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: Config,
    private readonly system: SystemDatabase,
    private readonly streamStore: GenerationStreamStoreService,
    private readonly ledger: UsageLedgerService,
  ) {
    const { runsPerUser: perKey, runs: total } = config.ai;
    this.slots = new FairSemaphore({
      resource: 'drafts',
      perKey,
      total,
      maxWaitingPerKey: perKey,
      maxWaiting: total,
      retryAfterSeconds: 10,
    });
  }

  onModuleInit(): void {
    this.streamStore.onCancel((generationId) => this.activeById.get(generationId)?.cancellation.abort());
    this.renewalTimer = setInterval(() => void this.renew(), RENEW_INTERVAL_MS);
    this.renewalTimer.unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.waitForCompletions(this.shutdownWaitMs);
    for (const run of this.activeById.values()) {
      run.isStopped = true;
      run.cancellation.abort();
    }
    await this.waitForCompletions(SHUTDOWN_SETTLE_MS);
    clearInterval(this.renewalTimer);
  }

  /**
   * Acquires or queues a slot for another run of the signed-in user.
   * @throws AppError `rate.too_many_at_once` at once when the queue is full
   */
  async reserveSlot(): Promise<GenerationSlot> {
    const acquired = this.slots.acquire(currentContext()?.principal?.userId ?? 0);
    // A full queue rejects before the next turn of the event loop.
    await Promise.race([acquired, nextTurn()]);
    return { acquired, release: () => void acquired.then((release) => release()) };
  }

  /**
   * Starts the generation as soon as its slot is acquired; releases the slot at the end. Needs a tenant context,
   * outside a unit of work.
   */
  start(request: GenerationRequest, slot: GenerationSlot): ActiveGeneration {
    const run = new ActiveGeneration(request, this.streamStore.createWriter(request.generationId));
    this.activeById.set(request.generationId, run);
    // Copies the context: the one of the request may be reused.
    const context = { ...currentContext() } as RequestContext;
    const end = runInContext(context, () => this.generate(run, slot)).finally(() => this.remove(run));
    this.completions.set(request.generationId, end);
    return run;
  }

  /** Returns the active generation; undefined when this process does not run it. */
  find(generationId: number): ActiveGeneration | undefined {
    return this.activeById.get(generationId);
  }

  /** Waits for the final row and returns it; undefined when another process runs the generation. */
  async waitUntilFinished(generationId: number): Promise<AiGeneration | undefined> {
    return this.completions.get(generationId);
  }

  private async waitForCompletions(ms: number): Promise<void> {
    await Promise.race([Promise.all(this.completions.values()), sleep(ms, undefined, { ref: false })]);
  }

  private remove(run: ActiveGeneration): void {
    run.close();
    this.activeById.delete(run.request.generationId);
    this.completions.delete(run.request.generationId);
  }

  /** Never rejects: the promise may not be awaited. */
  private async generate(run: ActiveGeneration, slot: GenerationSlot): Promise<AiGeneration | undefined> {
    try {
      await this.callProvidersWhenReady(run, slot);
      run.finish();
    } catch (error) {
      this.logger.error(`generation ${run.request.generationId} failed: ${getErrorMessage(error)}`);
    }
    try {
      run.savedGeneration = await this.settle(run);
    } catch (error) {
      this.logger.error(`generation ${run.request.generationId} could not be settled: ${getErrorMessage(error)}`);
    }
    return run.savedGeneration;
  }

  private async callProvidersWhenReady(run: ActiveGeneration, slot: GenerationSlot): Promise<void> {
    const { signal } = run.cancellation;
    const isCancelled = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    try {
      await Promise.race([slot.acquired, isCancelled]);
      await this.callProviders(run);
    } finally {
      slot.release();
    }
  }

  /** Retries and falls back only before the first byte: afterwards a reader would get parts of two texts. */
  private async callProviders(run: ActiveGeneration): Promise<void> {
    for (const [index, candidate] of run.request.candidates.entries()) {
      for (let attempt = 1; attempt <= ATTEMPTS_PER_MODEL; attempt += 1) {
        if (run.cancellation.signal.aborted) return;
        if (!this.canAfford(run, index)) break;
        if (attempt > 1)
          await sleep(this.retryDelayMs, undefined, { signal: run.cancellation.signal }).catch(() => undefined);
        const limits = { ...this.config.ai, cancelSignal: run.cancellation.signal };
        const call = await callProvider(
          candidate,
          run.request.prompt,
          limits,
          run.beginCall(candidate, limits.maxOutputAiTokens),
          {
            onText: (text) => run.onText(text),
            onEnd: (reason) => (run.endReason = reason),
          },
        );
        run.endCall(call);
        if (call.status === 'succeeded' || call.status === 'cancelled' || run.chunks.lastSeq > 0) return;
        if (!call.isTransient) break;
      }
    }
  }

  /** Checks that the reservation still covers the maximum cost of the next attempt. */
  private canAfford(run: ActiveGeneration, index: number): boolean {
    const spent = run.calls.reduce((sum, { cost }) => sum + cost, 0n);
    return spent + run.request.maxCosts[index]! <= run.request.reserved;
  }

  private async settle(run: ActiveGeneration): Promise<AiGeneration | undefined> {
    const { generationId } = run.request;
    const outcome = buildOutcome(run);
    for (let attempt = 1; attempt <= MAX_SETTLE_ATTEMPTS; attempt += 1) {
      try {
        return await this.ledger.runExclusive(async (unit) => {
          const generations = unit.repository(AiGeneration);
          const [reserved, generation] = await Promise.all([
            this.ledger.recordEnd(unit, generationId),
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
        this.logger.warn(`generation ${generationId} is not settled yet: ${getErrorMessage(error)}`);
        await sleep(1_000, undefined, { ref: false });
      }
    }
    return undefined;
  }

  /** Renews all runs of this process in one statement. Never rejects: it runs in a timer. */
  private async renew(): Promise<void> {
    try {
      const progress = [...this.activeById.values()].flatMap((run) => this.readProgress(run));
      if (progress.length === 0) return;
      await this.system.asAuth((unit) =>
        unit.query('SELECT auth.renew_ai_runs($1::jsonb)', [JSON.stringify(progress)]),
      );
    } catch (error) {
      this.logger.warn(`active AI calls were not renewed: ${getErrorMessage(error)}`);
    }
  }

  /** Skips a run whose progress cannot be read, so that the others are still renewed. */
  private readProgress(run: ActiveGeneration): ActiveGeneration['progress'][] {
    try {
      return [run.progress];
    } catch (error) {
      this.logger.error(`generation ${run.request.generationId} cannot be renewed: ${getErrorMessage(error)}`);
      return [];
    }
  }
}

function getErrorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
