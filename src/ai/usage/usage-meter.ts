import type { AiProviderName } from '../../platform/config/settings';
import { computeMaxInputAiTokens, estimateAiTokens, estimateAiTokensFromBytes, type PicoUsd, type Usage } from './cost';
import type { Prompt } from '../prompt/build-prompt';

/** Outcome of a provider call. The CHECK of ai_calls.status lists the same values and one for a process that died. */
export type CallStatus = 'succeeded' | 'failed' | 'cut' | 'cancelled';

/** Finished provider call, for the ledger. */
export interface CallRecord {
  readonly provider: AiProviderName;
  readonly model: string;
  readonly status: CallStatus;
  readonly usage: Usage;
  /** True when the provider did not report all of the usage. */
  readonly isEstimated: boolean;
  readonly cost: PicoUsd;
  readonly durationMs: number;
  readonly error: string | null;
  /** True when another attempt or another provider may succeed. */
  readonly isTransient: boolean;
}

/**
 * Measures the usage of a call while it runs: reported counts where they are possible, otherwise an estimate. Counts
 * never exceed what the call may use, so no report exceeds the reservation.
 */
export class UsageMeter {
  private reported: Partial<Usage> = {};
  private textBytes = 0;
  private readonly maxInput: number;
  private readonly estimatedInput: number;

  constructor(
    { system, prompt }: Prompt,
    private readonly maxOutput: number,
  ) {
    this.maxInput = computeMaxInputAiTokens(system + prompt);
    this.estimatedInput = estimateAiTokens(system + prompt);
  }

  /** Records reported usage; a later count replaces an earlier one. */
  report(usage: Partial<Usage>): void {
    this.reported = { ...this.reported, ...usage };
  }

  /** Counts a chunk of text. */
  addText(text: string): void {
    this.textBytes += Buffer.byteLength(text);
  }

  /** Returns the usage so far. */
  getUsage(): { usage: Usage; isEstimated: boolean } {
    const { cachedAiTokens = 0, cacheWriteAiTokens = 0 } = this.reported;
    const input = acceptPlausible(this.reported.inputAiTokens, 1, this.maxInput);
    const output = acceptPlausible(this.reported.outputAiTokens, this.textBytes > 0 ? 1 : 0, this.maxOutput);
    // Cached counts that exceed the input are ignored.
    const isCachePossible = input !== undefined && cachedAiTokens + cacheWriteAiTokens <= input;
    const usage: Usage = {
      inputAiTokens: input ?? this.estimatedInput,
      outputAiTokens: output ?? Math.min(estimateAiTokensFromBytes(this.textBytes), this.maxOutput),
      cachedAiTokens: isCachePossible ? cachedAiTokens : 0,
      cacheWriteAiTokens: isCachePossible ? cacheWriteAiTokens : 0,
    };
    return { usage, isEstimated: input === undefined || output === undefined };
  }
}

/** Returns a count that is possible; undefined for others, which are estimated. */
function acceptPlausible(count: number | undefined, min: number, max: number): number | undefined {
  return count !== undefined && count >= min && count <= max ? count : undefined;
}
