import type { CallRecord, CallStatus } from './call-record';
import { costOf, NO_USAGE, type Usage } from './cost';
import type { Prompt } from './prompt/build-prompt';
import type { EndReason } from './providers/provider';
import type { Candidate } from './providers/providers.service';
import { VendorError } from './providers/vendor-error';
import { ThoughtFilter } from './thought-filter';
import type { UsageMeter } from './usage-meter';

/** The limits of one call. */
export interface CallLimits {
  readonly maxOutputAiTokens: number;
  /** Of the whole call; half of it without a word ends it too. */
  readonly timeoutMs: number;
  /** Aborted when the user ends it, or the process. */
  readonly cancelled: AbortSignal;
}

/** Receives what comes of a call while it runs. */
export interface CallHooks {
  readonly onText: (text: string) => void;
  readonly onEnd: (reason: EndReason) => void;
}

/** As the CHECK of ai_generations.response has it. */
const MAX_CHARACTERS = 200_000;

/** White space and repetitions have the longest aiTokens; a text that is longer does not keep to the limit it was given. */
const MAX_CHARACTERS_PER_AI_TOKEN = 32;

/**
 * Calls a vendor once and returns how that ended; never throws. What was used is what the vendor reported, and where it
 * reported nothing possible an estimate by what had come. An answer that is longer than its limit is ended there.
 */
export async function callVendor(
  { provider, model, price }: Candidate,
  prompt: Prompt,
  limits: CallLimits,
  meter: UsageMeter,
  { onText, onEnd }: CallHooks,
): Promise<CallRecord> {
  const began = performance.now();
  const clock = new Clock(limits.timeoutMs);
  const signal = AbortSignal.any([limits.cancelled, clock.signal]);
  const { maxOutputAiTokens } = limits;
  const answer = new Answer(maxOutputAiTokens, meter, onText);
  let hasEnded = false;
  let failure: VendorError | undefined;
  try {
    const onUsage = (usage: Partial<Usage>): void => meter.report(usage);
    const call = { model, ...prompt, maxOutputAiTokens, onUsage, signal };
    for await (const event of provider.stream(call)) {
      clock.heard();
      if (event.type === 'text') answer.add(event.text);
      if (event.type === 'text' && !answer.isTooLong) continue;
      hasEnded = true;
      onEnd(event.type === 'end' ? event.reason : 'length');
      break;
    }
    answer.end();
  } catch (error) {
    failure =
      error instanceof VendorError ? error : new VendorError(`${provider.name} could not be understood`, true, false);
  } finally {
    clock.stop();
  }
  const end = endOf({
    hasEnded,
    isCancelled: limits.cancelled.aborted,
    isLate: clock.signal.aborted,
    failure,
    name: provider.name,
  });
  // A call that we ended ourselves was under way, whatever the error of its end looks like.
  const isFree = failure?.isRefusal === true && !signal.aborted;
  const { usage, isEstimated } = isFree ? { usage: NO_USAGE, isEstimated: false } : meter.reading();
  const durationMs = Math.round(performance.now() - began);
  return { provider: provider.name, model, ...end, usage, isEstimated, cost: costOf(usage, price), durationMs };
}

/** The text of one call, without its thoughts and at most as long as it may be. */
class Answer {
  private readonly thoughts = new ThoughtFilter();
  private room: number;

  constructor(
    maxOutputAiTokens: number,
    private readonly meter: UsageMeter,
    private readonly onText: (text: string) => void,
  ) {
    this.room = Math.min(MAX_CHARACTERS, maxOutputAiTokens * MAX_CHARACTERS_PER_AI_TOKEN);
  }

  get isTooLong(): boolean {
    return this.room === 0;
  }

  /** Thoughts are charged like text. */
  add(piece: string): void {
    const text = piece.slice(0, this.room);
    this.room -= text.length;
    this.meter.addText(text);
    this.onText(this.thoughts.next(text));
  }

  end(): void {
    this.onText(this.thoughts.end());
  }
}

interface Ending {
  readonly hasEnded: boolean;
  readonly isCancelled: boolean;
  readonly isLate: boolean;
  readonly failure: VendorError | undefined;
  readonly name: string;
}

function endOf({ hasEnded, isCancelled, isLate, failure, name }: Ending): {
  status: CallStatus;
  error: string | null;
  isTransient: boolean;
} {
  if (hasEnded) return { status: 'succeeded', error: null, isTransient: false };
  if (isCancelled) return { status: 'cancelled', error: 'cancelled', isTransient: false };
  if (isLate) return { status: 'failed', error: `${name} took too long`, isTransient: true };
  if (failure) return { status: 'failed', error: failure.message, isTransient: failure.isTransient };
  return { status: 'cut', error: `the connection to ${name} broke`, isTransient: true };
}

/** Ends a call that takes too long or falls silent. */
class Clock {
  private readonly controller = new AbortController();
  private readonly limit: NodeJS.Timeout;
  private readonly silence: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    this.limit = setTimeout(() => this.controller.abort(), timeoutMs);
    this.silence = setTimeout(() => this.controller.abort(), timeoutMs / 2);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    this.silence.refresh();
  }

  stop(): void {
    clearTimeout(this.limit);
    clearTimeout(this.silence);
  }
}
