import {
  APICallError,
  type LanguageModelV3,
  type LanguageModelV3FinishReason,
  type LanguageModelV3StreamPart,
} from '@ai-sdk/provider';
import type { AiProviderName } from '../../platform/config/settings';
import { type AiProvider, type EndReason, ProviderError, type ProviderEvent, type ProviderRequest } from './provider';
import { createProviderFetch } from './provider-fetch';

/** Settings of a provider that is called through the AI SDK. */
export interface AiSdkProviderOptions {
  readonly name: AiProviderName;
  readonly defaultModel: string;
  readonly missingSetting: string | undefined;
  readonly model: (name: string, fetchFn: typeof fetch) => LanguageModelV3;
}

/** Provider that is called through the AI SDK. */
export class AiSdkProvider implements AiProvider {
  readonly name: AiProviderName;
  readonly defaultModel: string;
  readonly missingSetting: string | undefined;

  constructor(private readonly options: AiSdkProviderOptions) {
    this.name = options.name;
    this.defaultModel = options.defaultModel;
    this.missingSetting = options.missingSetting;
  }

  async *stream(call: ProviderRequest): AsyncGenerator<ProviderEvent> {
    const reader = (await this.startStream(call)).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield* this.toEvents(value);
      }
    } finally {
      // Aborts the call when the caller stops reading early; has no effect after the end.
      await reader.cancel().catch(() => undefined);
    }
  }

  private async startStream({
    model,
    system,
    prompt,
    maxOutputAiTokens,
    onUsage,
    signal,
  }: ProviderRequest): Promise<ReadableStream<LanguageModelV3StreamPart>> {
    try {
      const { stream } = await this.options.model(model, createProviderFetch(this.name, onUsage)).doStream({
        prompt: [
          { role: 'system', content: system },
          { role: 'user', content: [{ type: 'text', text: prompt }] },
        ],
        maxOutputTokens: maxOutputAiTokens,
        abortSignal: signal,
      });
      return stream;
    } catch (error) {
      throw this.toProviderError(error);
    }
  }

  private *toEvents(part: LanguageModelV3StreamPart): Generator<ProviderEvent> {
    if (part.type === 'text-delta') yield { type: 'text', text: part.delta };
    if (part.type === 'error') throw new ProviderError(`${this.name} reported an error while writing`, true, false);
    if (part.type === 'finish') {
      const reason = toEndReason(part.finishReason);
      if (reason === 'error') throw new ProviderError(`${this.name} reported an error while writing`, true, false);
      if (reason) yield { type: 'end', reason };
    }
  }

  /** Maps an error that occurred before the provider began to write. */
  private toProviderError(error: unknown): ProviderError {
    if (error instanceof ProviderError) return error;
    if (!APICallError.isInstance(error) || error.statusCode === undefined) {
      return new ProviderError(`${this.name} could not be reached`, true, true);
    }
    const { statusCode, isRetryable } = error;
    // A wrong key or an empty account concerns this provider only: another one may succeed.
    const isOurs = [401, 402, 403, 404].includes(statusCode);
    return new ProviderError(`${this.name} answered ${statusCode}`, isRetryable || isOurs, true);
  }
}

/**
 * Maps the finish reason; undefined when the provider gave none (the call was cut). An unknown reason counts as stop.
 */
function toEndReason({ unified, raw }: LanguageModelV3FinishReason): EndReason | 'error' | undefined {
  switch (unified) {
    case 'content-filter':
      return 'filtered';
    case 'tool-calls':
      return 'tool';
    case 'other':
      return raw === undefined ? undefined : 'stop';
    default:
      return unified;
  }
}
