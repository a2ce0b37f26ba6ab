import type { CallRecord, CallStatus, UsageMeter } from '../usage/usage-meter';
import { computeCost, NO_USAGE, type Usage } from '../usage/cost';
import type { Prompt } from '../prompt/build-prompt';
import { type EndReason, ProviderError } from './provider';
import type { ModelCandidate } from './providers.service';
import { ReasoningFilter } from './output-filters';

/** Limits of one call. */
export interface CallLimits {
  readonly maxOutputAiTokens: number;
  /** Limit for the whole call. Also aborted after half of it without any output. */
  readonly timeoutMs: number;
  /** Aborted when the user cancels or the process stops. */
  readonly cancelSignal: AbortSignal;
}

/** Callbacks that receive the output of a call. */
export interface CallHooks {
  readonly onText: (text: string) => void;
  readonly onEnd: (reason: EndReason) => void;
}

/** Same limit as the CHECK of ai_generations.response. */
const MAX_OUTPUT_CHARACTERS = 200_000;

/** Upper bound: white space and repetitions have the longest aiTokens. Longer output exceeds the requested limit. */
const MAX_CHARACTERS_PER_AI_TOKEN = 32;

/**
 * Calls a provider once and returns how the call ended; never throws. Usage is what the provider reported; counts that
 * are missing or impossible are estimated from the text received. Output that exceeds its limit is cut there.
 */
export async function callProvider(
  { provider, model, price }: ModelCandidate,
  prompt: Prompt,
  limits: CallLimits,
  meter: UsageMeter,
  { onText, onEnd }: CallHooks,
): Promise<CallRecord> {
  const startedAt = performance.now();
  const timeouts = new CallTimeouts(limits.timeoutMs);
  const signal = AbortSignal.any([limits.cancelSignal, timeouts.signal]);
  const { maxOutputAiTokens } = limits;
  const output = new LimitedOutput(maxOutputAiTokens, meter, onText);
  let hasEnded = false;
  let failure: ProviderError | undefined;
  try {
    const onUsage = (usage: Partial<Usage>): void => meter.report(usage);
    const call = { model, ...prompt, maxOutputAiTokens, onUsage, signal };
    for await (const event of provider.stream(call)) {
      timeouts.restartSilenceTimer();
      if (event.type === 'text') output.append(event.text);
      if (event.type === 'text' && !output.isTooLong) continue;
      hasEnded = true;
      onEnd(event.type === 'end' ? event.reason : 'length');
      break;
    }
    output.finish();
  } catch (error) {
    failure =
      error instanceof ProviderError
        ? error
        : new ProviderError(`${provider.name} could not be understood`, true, false);
  } finally {
    timeouts.clear();
  }
  const end = classifyEnd({
    hasEnded,
    isCancelled: limits.cancelSignal.aborted,
    hasTimedOut: timeouts.signal.aborted,
    failure,
    name: provider.name,
  });
  // A call that was aborted here had begun, no matter which error its end produced.
  const isFree = failure?.isRefusal === true && !signal.aborted;
  const { usage, isEstimated } = isFree ? { usage: NO_USAGE, isEstimated: false } : meter.getUsage();
  const durationMs = Math.round(performance.now() - startedAt);
  return { provider: provider.name, model, ...end, usage, isEstimated, cost: computeCost(usage, price), durationMs };
}

/** Output of one call without reasoning, cut at its maximum length. */
class LimitedOutput {
  private readonly reasoningFilter = new ReasoningFilter();
  private remainingCharacters: number;

  constructor(
    maxOutputAiTokens: number,
    private readonly meter: UsageMeter,
    private readonly onText: (text: string) => void,
  ) {
    this.remainingCharacters = Math.min(MAX_OUTPUT_CHARACTERS, maxOutputAiTokens * MAX_CHARACTERS_PER_AI_TOKEN);
  }

  get isTooLong(): boolean {
    return this.remainingCharacters === 0;
  }

  /** Adds a chunk. Reasoning counts as output, as providers charge it. */
  append(chunk: string): void {
    const text = chunk.slice(0, this.remainingCharacters);
    this.remainingCharacters -= text.length;
    this.meter.addText(text);
    this.onText(this.reasoningFilter.filter(text));
  }

  finish(): void {
    this.onText(this.reasoningFilter.flush());
  }
}

interface CallEnd {
  readonly hasEnded: boolean;
  readonly isCancelled: boolean;
  readonly hasTimedOut: boolean;
  readonly failure: ProviderError | undefined;
  readonly name: string;
}

function classifyEnd({ hasEnded, isCancelled, hasTimedOut, failure, name }: CallEnd): {
  status: CallStatus;
  error: string | null;
  isTransient: boolean;
} {
  if (hasEnded) return { status: 'succeeded', error: null, isTransient: false };
  if (isCancelled) return { status: 'cancelled', error: 'cancelled', isTransient: false };
  if (hasTimedOut) return { status: 'failed', error: `${name} took too long`, isTransient: true };
  if (failure) return { status: 'failed', error: failure.message, isTransient: failure.isTransient };
  return { status: 'cut', error: `the connection to ${name} broke`, isTransient: true };
}

/** Aborts a call that takes too long or stays silent. */
class CallTimeouts {
  private readonly controller = new AbortController();
  private readonly totalTimer: NodeJS.Timeout;
  private readonly silenceTimer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    this.totalTimer = setTimeout(() => this.controller.abort(), timeoutMs);
    this.silenceTimer = setTimeout(() => this.controller.abort(), timeoutMs / 2);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  restartSilenceTimer(): void {
    this.silenceTimer.refresh();
  }

  clear(): void {
    clearTimeout(this.totalTimer);
    clearTimeout(this.silenceTimer);
  }
}
