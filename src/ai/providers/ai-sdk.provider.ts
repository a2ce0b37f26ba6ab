import {
  APICallError,
  type LanguageModelV3,
  type LanguageModelV3FinishReason,
  type LanguageModelV3StreamPart,
} from '@ai-sdk/provider';
import { z } from 'zod';
import type { AiProviderName } from '../../platform/config/settings';
import type { Usage } from '../usage/cost';
import { type AiProvider, type EndReason, ProviderError, type ProviderEvent, type ProviderRequest } from './provider';

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

/** Maximum length of one event; longer ones carry no text chunk. */
const MAX_EVENT_CHARACTERS = 1_048_576;

/** Maximum size of a response: far above the longest answer with its protocol. */
const MAX_RESPONSE_BYTES = 33_554_432;

/** Receives the usage that a provider reports. */
type OnUsage = (usage: Partial<Usage>) => void;

/**
 * Creates the fetch function for one provider call. It sends one request: a continuation would cost more than was
 * reserved, so it gets an empty answer. A broken connection ends the stream instead of failing it: a failing stream
 * drops buffered text that the provider charges for. Usage is extracted from the events, so the SDK never reads it.
 */
function createProviderFetch(name: string, onUsage: OnUsage, fetchFn: typeof fetch = fetch): typeof fetch {
  let isUsed = false;
  return async (input, init) => {
    if (isUsed) return new Response('', { headers: { 'content-type': 'text/event-stream' } });
    isUsed = true;
    const response = await fetchFn(input, init);
    if (!response.ok || !response.body) return response;
    const { status, statusText, headers, body } = response;
    if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) {
      await body.cancel().catch(() => undefined);
      throw new ProviderError(`${name} answered a web page instead of a text`, true, true);
    }
    return new Response(filterEvents(body, onUsage), { status, statusText, headers });
  };
}

function filterEvents(body: ReadableStream<Uint8Array>, onUsage: OnUsage): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let pending = '';
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const next = await reader.read().catch(() => ({ done: true as const, value: undefined }));
          bytes += next.value?.byteLength ?? 0;
          pending += next.done ? decoder.decode() : decoder.decode(next.value, { stream: true });
          const isTooLong = bytes > MAX_RESPONSE_BYTES || pending.length > MAX_EVENT_CHARACTERS;
          const end = next.done || isTooLong ? pending.length : pending.lastIndexOf('\n') + 1;
          const lines = pending
            .slice(0, end)
            .split('\n')
            .map((line) => extractUsage(line, onUsage))
            .join('\n');
          pending = pending.slice(end);
          if (lines !== '') controller.enqueue(encoder.encode(lines));
          if (isTooLong) void reader.cancel().catch(() => undefined);
          if (next.done || isTooLong) return controller.close();
          if (lines !== '') return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Quick test for events with usage; most have none or null. */
const MAY_HAVE_USAGE = /"usage(?:Metadata)?"\s*:\s*(?!null)|"message_(?:start|delta)"/;

/** Usage that the SDK requires in Anthropic events; its value is never read. */
const NO_USAGE = { input_tokens: 0, output_tokens: 0 };

const EVENT = z.looseObject({
  type: z.string().optional().catch(undefined),
  message: z.looseObject({}).optional().catch(undefined),
});

function extractUsage(line: string, onUsage: OnUsage): string {
  if (!line.startsWith('data:') || !MAY_HAVE_USAGE.test(line)) return line;
  const { data: event } = EVENT.safeParse(parseJson(line.slice('data:'.length)));
  if (!event) return line;
  const usage = parseUsage(event);
  if (usage) onUsage(usage);
  const { usage: _, usageMetadata: __, ...rest } = event;
  if (event.type === 'message_start')
    return `data: ${JSON.stringify({ ...rest, message: { ...event.message, usage: NO_USAGE } })}`;
  return `data: ${JSON.stringify(event.type === 'message_delta' ? { ...rest, usage: NO_USAGE } : rest)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Upper bound of a count; a larger one is an error of the provider. */
const MAX_COUNT = 1_000_000_000;

/** Valid count: a whole number from 0 up. Everything else counts as not reported. */
const COUNT = z.number().int().min(0).max(MAX_COUNT).optional().catch(undefined);

/** Optional count: absent or null is 0; undefined when the value is invalid. */
const COUNT_OR_NONE = z
  .number()
  .int()
  .min(0)
  .max(MAX_COUNT)
  .nullish()
  .transform((count): number | undefined => count ?? 0)
  .catch(undefined);

const OPENAI = z.object({
  choices: z.unknown(),
  usage: z.object({
    prompt_tokens: COUNT,
    completion_tokens: COUNT,
    prompt_tokens_details: z.object({ cached_tokens: COUNT_OR_NONE }).nullish().catch(undefined),
  }),
});

/** Anthropic reports the input in the first event and the output in a later one. */
const ANTHROPIC_START = z.object({
  type: z.literal('message_start'),
  message: z.object({
    usage: z.object({
      input_tokens: COUNT,
      cache_read_input_tokens: COUNT_OR_NONE,
      cache_creation_input_tokens: COUNT_OR_NONE,
    }),
  }),
});
const ANTHROPIC_DELTA = z.object({ type: z.literal('message_delta'), usage: z.object({ output_tokens: COUNT }) });

/** Google repeats its counts in every event. */
const GOOGLE = z.object({
  usageMetadata: z.object({
    promptTokenCount: COUNT,
    candidatesTokenCount: COUNT_OR_NONE,
    thoughtsTokenCount: COUNT_OR_NONE,
    cachedContentTokenCount: COUNT_OR_NONE,
  }),
});

const USAGE_EVENT = z.union([
  ANTHROPIC_START.transform(({ message: { usage } }) =>
    toInputUsage(
      sumCounts(usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens),
      usage.cache_read_input_tokens,
      usage.cache_creation_input_tokens,
    ),
  ),
  ANTHROPIC_DELTA.transform(({ usage }): Partial<Usage> => ({ outputAiTokens: usage.output_tokens })),
  GOOGLE.transform(({ usageMetadata: usage }): Partial<Usage> => ({
    ...toInputUsage(usage.promptTokenCount, usage.cachedContentTokenCount),
    outputAiTokens: sumCounts(usage.candidatesTokenCount, usage.thoughtsTokenCount),
  })),
  OPENAI.transform(({ usage }): Partial<Usage> => ({
    ...toInputUsage(usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens),
    outputAiTokens: usage.completion_tokens,
  })),
]);

/**
 * Returns the usage that an event reports; undefined when it reports none. Counts that are not whole numbers from 0 up
 * are undefined.
 */
function parseUsage(event: unknown): Partial<Usage> | undefined {
  return USAGE_EVENT.safeParse(event).data;
}

function toInputUsage(input: number | undefined, cached: number | undefined, written = 0): Partial<Usage> {
  return { inputAiTokens: input, cachedAiTokens: cached ?? 0, cacheWriteAiTokens: written };
}

function sumCounts(...counts: readonly (number | undefined)[]): number | undefined {
  return counts.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
}
