import {
  APICallError,
  type LanguageModelV3,
  type LanguageModelV3FinishReason,
  type LanguageModelV3StreamPart,
  type LanguageModelV3Usage,
} from '@ai-sdk/provider';
import type { AiProviderName } from '../../platform/config/settings';
import type { Usage } from '../cost';
import type { Provider, VendorCall, VendorEvent } from './provider';
import { usageSoFar } from './usage-so-far';
import { VendorError } from './vendor-error';

/** How a vendor of the AI SDK is set up. */
export interface SdkProviderOptions {
  readonly name: AiProviderName;
  readonly defaultModel: string;
  readonly missingSetting: string | undefined;
  readonly model: (name: string) => LanguageModelV3;
  /** Whether its protocol tells of the usage before the end; where not, its raw events are not worth their time. */
  readonly tellsUsageEarly: boolean;
}

/** A vendor called through its provider of the AI SDK. */
export class SdkProvider implements Provider {
  readonly name: AiProviderName;
  readonly defaultModel: string;
  readonly missingSetting: string | undefined;

  constructor(private readonly options: SdkProviderOptions) {
    this.name = options.name;
    this.defaultModel = options.defaultModel;
    this.missingSetting = options.missingSetting;
  }

  async *stream(call: VendorCall): AsyncGenerator<VendorEvent> {
    const reader = (await this.open(call)).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield* this.eventsOf(value);
      }
    } finally {
      // A caller that stops reading ends the call; one that has read it all has nothing to end.
      await reader.cancel().catch(() => undefined);
    }
  }

  private async open({ model, system, prompt, maxOutputAiTokens, signal }: VendorCall): Promise<ReadableStream<LanguageModelV3StreamPart>> {
    try {
      const { stream } = await this.options.model(model).doStream({
        prompt: [
          { role: 'system', content: system },
          { role: 'user', content: [{ type: 'text', text: prompt }] },
        ],
        maxOutputTokens: maxOutputAiTokens,
        abortSignal: signal,
        includeRawChunks: this.options.tellsUsageEarly,
      });
      return stream;
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  private *eventsOf(part: LanguageModelV3StreamPart): Generator<VendorEvent> {
    if (part.type === 'text-delta') yield { type: 'text', text: part.delta };
    if (part.type === 'raw') {
      const usage = usageSoFar(part.rawValue);
      if (usage) yield { type: 'usage', usage };
    }
    if (part.type === 'error') throw new VendorError(`${this.name} reported an error while writing`, true, false);
    if (part.type === 'finish') {
      yield { type: 'usage', usage: usageOf(part.usage) };
      const reason = endOf(part.finishReason);
      if (reason === 'error') throw new VendorError(`${this.name} reported an error while writing`, true, false);
      if (reason) yield { type: 'end', reason };
    }
  }

  /** What a call ends with before the vendor has begun to write. */
  private refusalOf(error: unknown): VendorError {
    if (!APICallError.isInstance(error) || error.statusCode === undefined) {
      return new VendorError(`${this.name} could not be reached`, true, true);
    }
    const { statusCode, isRetryable } = error;
    // A wrong key or an empty account of ours is no reason not to ask another vendor.
    const isOurs = [401, 402, 403, 404].includes(statusCode);
    return new VendorError(`${this.name} answered ${statusCode}`, isRetryable || isOurs, true);
  }
}

/** What the vendor told; what it did not is left out. */
function usageOf({ inputTokens, outputTokens }: LanguageModelV3Usage): Partial<Usage> {
  return {
    ...(inputTokens.total !== undefined && {
      inputAiTokens: inputTokens.total,
      cachedAiTokens: inputTokens.cacheRead ?? 0,
      cacheWriteAiTokens: inputTokens.cacheWrite ?? 0,
    }),
    ...(outputTokens.total !== undefined && { outputAiTokens: outputTokens.total }),
  };
}

function endOf({ unified }: LanguageModelV3FinishReason): 'stop' | 'length' | 'filtered' | 'error' | undefined {
  if (unified === 'stop' || unified === 'length') return unified;
  if (unified === 'content-filter') return 'filtered';
  return unified === 'error' ? 'error' : undefined;
}
