import type { AiProviderName } from '../../platform/config/settings';
import { computeMaxInputAiTokens, estimateAiTokens, estimateAiTokensFromBytes, type PicoUsd, type Usage } from './cost';
import type { Prompt } from '../prompt/build-prompt';

/** How a call of a vendor ended; the CHECK of ai_calls.status lists the same and one more, for a process that died. */
export type CallStatus = 'succeeded' | 'failed' | 'cut' | 'cancelled';

/** One call of a vendor that is over, for the ledger. */
export interface CallRecord {
  readonly provider: AiProviderName;
  readonly model: string;
  readonly status: CallStatus;
  readonly usage: Usage;
  /** The vendor did not tell all of the usage. */
  readonly isEstimated: boolean;
  readonly cost: PicoUsd;
  readonly durationMs: number;
  readonly error: string | null;
  /** Another try, or another vendor, may succeed. */
  readonly isTransient: boolean;
}

/**
 * Counts what a call uses while it runs: what the vendor reports where that is possible, and an estimate elsewhere. It
 * never counts more than the call may use, so that no report passes the reservation.
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

  /** Notes what the vendor counts; a later count replaces an earlier one. */
  report(usage: Partial<Usage>): void {
    this.reported = { ...this.reported, ...usage };
  }

  /** Notes a piece of text. */
  addText(text: string): void {
    this.textBytes += Buffer.byteLength(text);
  }

  /** Returns what the call has used so far. */
  getUsage(): { usage: Usage; isEstimated: boolean } {
    const { cachedAiTokens = 0, cacheWriteAiTokens = 0 } = this.reported;
    const input = acceptPlausible(this.reported.inputAiTokens, 1, this.maxInput);
    const output = acceptPlausible(this.reported.outputAiTokens, this.textBytes > 0 ? 1 : 0, this.maxOutput);
    // A discount that does not fit the input is none.
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

/** A count the call can have; undefined for others, which are estimated. A prompt has no 0 aiTokens, nor has a text. */
function acceptPlausible(count: number | undefined, least: number, most: number): number | undefined {
  return count !== undefined && count >= least && count <= most ? count : undefined;
}
