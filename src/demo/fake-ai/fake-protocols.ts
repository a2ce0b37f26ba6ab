import type { FakeVendor } from './fake-invoice';

/** A request, independent of its protocol. */
export interface FakeRequest {
  readonly vendor: FakeVendor;
  readonly model: string;
  readonly system: string;
  readonly prompt: string;
  readonly body: unknown;
}

/** The token counts that a vendor reports for a call. */
export interface FakeUsage {
  readonly inputAiTokens: number;
  readonly cachedAiTokens: number;
  /** Returns the output count after a number of chunks. */
  readonly countOutputTokens: (chunks: number) => number;
}

/** One event of a stream: its bytes, and its chunk of the text, if any. */
export interface FakeEvent {
  readonly bytes: Buffer;
  readonly chunk?: string;
}

/** Parses a request of one of the three protocols; undefined for an unknown URL. */
export function readFakeRequest(url: string, body: VendorRequestBody): FakeRequest | undefined {
  if (url.endsWith('/chat/completions')) {
    const [system, user] = body.messages ?? [];
    return {
      vendor: 'openai',
      model: body.model ?? '',
      system: readText(system?.content),
      prompt: readText(user?.content),
      body,
    };
  }
  if (url.endsWith('/messages')) {
    return {
      vendor: 'anthropic',
      model: body.model ?? '',
      system: readText(body.system),
      prompt: readText(body.messages?.[0]?.content),
      body,
    };
  }
  const [, model] = /\/models\/([^/:]+):streamGenerateContent/.exec(url) ?? [];
  if (model === undefined) return undefined;
  return {
    vendor: 'google',
    model,
    system: readText(body.systemInstruction?.parts),
    prompt: readText(body.contents?.[0]?.parts),
    body,
  };
}

/** Deviations of a response from the vendor's documentation. */
export interface FakeResponseOverride {
  /** Replaces `usage` (OpenAI), `usage` of both events (Anthropic), `usageMetadata` of each event (Google). */
  readonly usage?: unknown;
  /** Replaces the finish reason. */
  readonly finish?: string;
  /** Calls a tool that was not offered, and stops. */
  readonly tool?: boolean;
  /** Refuses the prompt in Google's way: a block reason without a candidate. */
  readonly blockReason?: string;
}

/** Builds the vendor's event stream for a text. */
export function buildFakeEvents(
  { vendor, model }: FakeRequest,
  chunks: readonly string[],
  usage: FakeUsage,
  override: FakeResponseOverride = {},
): FakeEvent[] {
  if (vendor === 'openai') return buildOpenAiEvents(model, chunks, usage, override);
  return vendor === 'anthropic'
    ? buildAnthropicEvents(model, chunks, usage, override)
    : buildGoogleEvents(model, chunks, usage, override);
}

/** Builds the vendor's error event within a stream. */
export function buildFakeErrorEvent(vendor: FakeVendor): FakeEvent {
  if (vendor === 'anthropic')
    return namedEvent('error', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded (fake)' } });
  return dataEvent({
    error: { message: 'The server had an error (fake)', type: 'server_error', code: 500, status: 'INTERNAL' },
  });
}

/** The fields of the three request bodies that the fake reads. */
export interface VendorRequestBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly system?: Content;
  readonly messages?: readonly { readonly role: string; readonly content: Content }[];
  readonly systemInstruction?: { readonly parts: Content };
  readonly contents?: readonly { readonly parts: Content }[];
}

type Content = string | readonly { readonly text?: string }[];

function readText(content: Content | undefined): string {
  if (content === undefined || typeof content === 'string') return content ?? '';
  return content.map(({ text }) => text ?? '').join('');
}

function buildOpenAiEvents(
  model: string,
  chunks: readonly string[],
  usage: FakeUsage,
  override: FakeResponseOverride,
): FakeEvent[] {
  const chatChunk = (delta: object, finish: string | null): object => ({
    id: 'chatcmpl-fake',
    object: 'chat.completion.chunk',
    created: 1_767_225_600,
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
    usage: null,
  });
  const output = usage.countOutputTokens(chunks.length);
  const counts = {
    prompt_tokens: usage.inputAiTokens,
    completion_tokens: output,
    total_tokens: usage.inputAiTokens + output,
    prompt_tokens_details: { cached_tokens: usage.cachedAiTokens },
  };
  return [
    dataEvent(chatChunk({ role: 'assistant', content: '' }, null)),
    ...chunks.map((chunk) => dataEvent(chatChunk({ content: chunk }, null), chunk)),
    ...(override.tool
      ? [
          dataEvent(
            chatChunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: FAKE_TOOL }] }, null),
          ),
        ]
      : []),
    dataEvent(chatChunk({}, override.tool ? 'tool_calls' : (override.finish ?? 'stop'))),
    dataEvent({ ...chatChunk({}, null), choices: [], usage: 'usage' in override ? override.usage : counts }),
    { bytes: Buffer.from('data: [DONE]\n\n') },
  ];
}

const FAKE_TOOL = { name: 'http_get', arguments: '{"url":"http://169.254.169.254/"}' };

function buildAnthropicEvents(
  model: string,
  chunks: readonly string[],
  usage: FakeUsage,
  override: FakeResponseOverride,
): FakeEvent[] {
  const message = {
    id: 'msg_fake',
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage:
      'usage' in override
        ? override.usage
        : {
            input_tokens: usage.inputAiTokens - usage.cachedAiTokens,
            cache_read_input_tokens: usage.cachedAiTokens,
            cache_creation_input_tokens: 0,
            output_tokens: 0,
          },
  };
  const delta = (text: string): object => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  });
  return [
    namedEvent('message_start', { type: 'message_start', message }),
    namedEvent('content_block_start', {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'text', text: '' },
    }),
    ...chunks.map((chunk) => ({ ...namedEvent('content_block_delta', delta(chunk)), chunk })),
    namedEvent('content_block_stop', { type: 'content_block_stop', index: 0 }),
    namedEvent('message_delta', {
      type: 'message_delta',
      delta: { stop_reason: override.finish ?? 'end_turn', stop_sequence: null },
      usage: 'usage' in override ? override.usage : { output_tokens: usage.countOutputTokens(chunks.length) },
    }),
    namedEvent('message_stop', { type: 'message_stop' }),
  ];
}

function buildGoogleEvents(
  model: string,
  chunks: readonly string[],
  usage: FakeUsage,
  override: FakeResponseOverride,
): FakeEvent[] {
  if (override.blockReason !== undefined) {
    return [
      dataEvent({
        promptFeedback: { blockReason: override.blockReason },
        usageMetadata: { promptTokenCount: usage.inputAiTokens },
        modelVersion: model,
      }),
    ];
  }
  return chunks.map((chunk, index) => {
    const output = usage.countOutputTokens(index + 1);
    const counts = {
      promptTokenCount: usage.inputAiTokens,
      cachedContentTokenCount: usage.cachedAiTokens,
      candidatesTokenCount: output,
      totalTokenCount: usage.inputAiTokens + output,
    };
    const candidate = {
      content: { role: 'model', parts: [{ text: chunk }] },
      index: 0,
      ...(index === chunks.length - 1 && { finishReason: override.finish ?? 'STOP' }),
    };
    return dataEvent(
      { candidates: [candidate], usageMetadata: 'usage' in override ? override.usage : counts, modelVersion: model },
      chunk,
    );
  });
}

function dataEvent(value: object, chunk?: string): FakeEvent {
  return { bytes: Buffer.from(`data: ${JSON.stringify(value)}\n\n`), ...(chunk !== undefined && { chunk }) };
}

function namedEvent(event: string, value: object): FakeEvent {
  return { bytes: Buffer.from(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`) };
}
