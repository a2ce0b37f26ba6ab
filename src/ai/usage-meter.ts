import { estimatedAiTokens, estimatedFromBytes, maxInputAiTokens, type Usage } from './cost';
import type { Prompt } from './prompt/build-prompt';

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
    this.maxInput = maxInputAiTokens(system + prompt);
    this.estimatedInput = estimatedAiTokens(system + prompt);
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
  reading(): { usage: Usage; isEstimated: boolean } {
    const { cachedAiTokens = 0, cacheWriteAiTokens = 0 } = this.reported;
    const input = possible(this.reported.inputAiTokens, 1, this.maxInput);
    const output = possible(this.reported.outputAiTokens, this.textBytes > 0 ? 1 : 0, this.maxOutput);
    // A discount that does not fit the input is none.
    const isCachePossible = input !== undefined && cachedAiTokens + cacheWriteAiTokens <= input;
    const usage: Usage = {
      inputAiTokens: input ?? this.estimatedInput,
      outputAiTokens: output ?? Math.min(estimatedFromBytes(this.textBytes), this.maxOutput),
      cachedAiTokens: isCachePossible ? cachedAiTokens : 0,
      cacheWriteAiTokens: isCachePossible ? cacheWriteAiTokens : 0,
    };
    return { usage, isEstimated: input === undefined || output === undefined };
  }
}

/** A count the call can have; undefined for others, which are estimated. A prompt has no 0 aiTokens, nor has a text. */
function possible(count: number | undefined, least: number, most: number): number | undefined {
  return count !== undefined && count >= least && count <= most ? count : undefined;
}
