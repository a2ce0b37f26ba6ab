import { estimatedAiTokens, type Usage } from './cost';
import type { Prompt } from './prompt/build-prompt';

/** Counts what a call uses while it runs: what the vendor tells, and where it is silent what its text suggests. */
export class UsageMeter {
  private told: Partial<Usage> = {};
  private text = '';

  constructor(private readonly prompt: Prompt) {}

  /** Notes what the vendor counts; a later count replaces an earlier one. */
  tell(usage: Partial<Usage>): void {
    this.told = { ...this.told, ...usage };
  }

  /** Notes a piece of text. */
  hear(text: string): void {
    this.text += text;
  }

  /** What the call has used so far. */
  reading(): { usage: Usage; isEstimated: boolean } {
    const { inputAiTokens, outputAiTokens, cachedAiTokens = 0, cacheWriteAiTokens = 0 } = this.told;
    const usage: Usage = {
      inputAiTokens: inputAiTokens ?? estimatedAiTokens(this.prompt.system + this.prompt.prompt),
      outputAiTokens: outputAiTokens ?? estimatedAiTokens(this.text),
      cachedAiTokens,
      cacheWriteAiTokens,
    };
    return { usage, isEstimated: inputAiTokens === undefined || outputAiTokens === undefined };
  }
}
