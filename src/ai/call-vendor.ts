import type { CallRecord, CallStatus } from './call-record';
import { costOf, NO_USAGE } from './cost';
import type { Prompt } from './prompt/build-prompt';
import type { Candidate } from './providers/providers.service';
import { VendorError } from './providers/vendor-error';
import type { UsageMeter } from './usage-meter';

/** The limits of one call. */
export interface CallLimits {
  readonly maxOutputAiTokens: number;
  /** Of the whole call; half of it without a word ends it too. */
  readonly timeoutMs: number;
  /** The user's wish to end it, or the process's. */
  readonly cancelled: AbortSignal;
}

/** What a call tells while it runs. */
export interface CallHooks {
  readonly onText: (text: string) => void;
  /** Why the vendor stopped, when that is not the text's own end. */
  readonly onEnd: (reason: 'length' | 'filtered' | 'stop') => void;
}

/**
 * Calls a vendor once and returns how that ended; never throws. What was used is what the vendor told, and where it
 * broke off an estimate by what had come.
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
  let hasEnded = false;
  let failure: VendorError | undefined;
  try {
    for await (const event of provider.stream({ model, ...prompt, maxOutputAiTokens: limits.maxOutputAiTokens, signal })) {
      clock.heard();
      if (event.type === 'usage') meter.tell(event.usage);
      if (event.type === 'text') {
        meter.hear(event.text);
        onText(event.text);
      }
      if (event.type === 'end') {
        hasEnded = true;
        onEnd(event.reason);
      }
    }
  } catch (error) {
    failure = error instanceof VendorError ? error : new VendorError(`${provider.name} could not be understood`, true, false);
  } finally {
    clock.stop();
  }
  const end = endOf({ hasEnded, isCancelled: limits.cancelled.aborted, isLate: clock.signal.aborted, failure, name: provider.name });
  // A call that we ended ourselves was under way, whatever the error of its end looks like.
  const isFree = failure?.isRefusal === true && !signal.aborted;
  const { usage, isEstimated } = isFree ? { usage: NO_USAGE, isEstimated: false } : meter.reading();
  const durationMs = Math.round(performance.now() - began);
  return { provider: provider.name, model, ...end, usage, isEstimated, cost: costOf(usage, price), durationMs };
}

interface Ending {
  readonly hasEnded: boolean;
  readonly isCancelled: boolean;
  readonly isLate: boolean;
  readonly failure: VendorError | undefined;
  readonly name: string;
}

function endOf({ hasEnded, isCancelled, isLate, failure, name }: Ending): { status: CallStatus; error: string | null; isTransient: boolean } {
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
