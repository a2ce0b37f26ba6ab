import type { FakeVendor } from './fake-invoice';

/** A request, whatever the protocol it came in. */
export interface FakeRequest {
  readonly vendor: FakeVendor;
  readonly model: string;
  readonly system: string;
  readonly prompt: string;
  readonly body: unknown;
}

/** The counts a vendor tells of a call. */
export interface FakeUsage {
  readonly inputAiTokens: number;
  readonly cachedAiTokens: number;
  /** Of the text up to a chunk. */
  readonly countOutputTokens: (chunks: number) => number;
}

/** One event of a stream: its bytes, and the chunk of the text it carries. */
export interface FakeEvent {
  readonly bytes: Buffer;
  readonly chunk?: string;
}

/** Reads a request of one of the three protocols; undefined for an address the vendors do not have. */
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

/** What a vendor reports otherwise than its documentation has it. */
export interface FakeResponseOverride {
  /** In place of `usage` (OpenAI), `usage` of both events (Anthropic), `usageMetadata` of each event (Google). */
  readonly usage?: unknown;
  /** In place of the finish reason. */
  readonly finish?: string;
  /** Calls a tool that nobody offered, and stops for it. */
  readonly tool?: boolean;
  /** Refuses the prompt as Google does: no candidate, a block reason. */
  readonly blockReason?: string;
}

/** Writes a text as the vendor's stream of events. */
export function buildFakeEvents(
  { vendor, model }: FakeRequest,
  chunks: readonly string[],
  usage: FakeUsage,
  odd: FakeResponseOverride = {},
): FakeEvent[] {
  if (vendor === 'openai') return buildOpenAiEvents(model, chunks, usage, odd);
  return vendor === 'anthropic'
    ? buildAnthropicEvents(model, chunks, usage, odd)
    : buildGoogleEvents(model, chunks, usage, odd);
}

/** The vendor's way of saying, in mid-stream, that it failed. */
export function buildFakeErrorEvent(vendor: FakeVendor): FakeEvent {
  if (vendor === 'anthropic')
    return namedEvent('error', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded (fake)' } });
  return dataEvent({
    error: { message: 'The server had an error (fake)', type: 'server_error', code: 500, status: 'INTERNAL' },
  });
}

/** The parts of the three bodies that the fake reads. */
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
  odd: FakeResponseOverride,
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
    ...(odd.tool
      ? [
          dataEvent(
            chatChunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: FAKE_TOOL }] }, null),
          ),
        ]
      : []),
    dataEvent(chatChunk({}, odd.tool ? 'tool_calls' : (odd.finish ?? 'stop'))),
    dataEvent({ ...chatChunk({}, null), choices: [], usage: 'usage' in odd ? odd.usage : counts }),
    { bytes: Buffer.from('data: [DONE]\n\n') },
  ];
}

const FAKE_TOOL = { name: 'http_get', arguments: '{"url":"http://169.254.169.254/"}' };

function buildAnthropicEvents(
  model: string,
  chunks: readonly string[],
  usage: FakeUsage,
  odd: FakeResponseOverride,
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
      'usage' in odd
        ? odd.usage
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
      delta: { stop_reason: odd.finish ?? 'end_turn', stop_sequence: null },
      usage: 'usage' in odd ? odd.usage : { output_tokens: usage.countOutputTokens(chunks.length) },
    }),
    namedEvent('message_stop', { type: 'message_stop' }),
  ];
}

function buildGoogleEvents(
  model: string,
  chunks: readonly string[],
  usage: FakeUsage,
  odd: FakeResponseOverride,
): FakeEvent[] {
  if (odd.blockReason !== undefined) {
    return [
      dataEvent({
        promptFeedback: { blockReason: odd.blockReason },
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
      ...(index === chunks.length - 1 && { finishReason: odd.finish ?? 'STOP' }),
    };
    return dataEvent(
      { candidates: [candidate], usageMetadata: 'usage' in odd ? odd.usage : counts, modelVersion: model },
      chunk,
    );
  });
}

function dataEvent(value: object, chunk?: string): FakeEvent {
  return { bytes: Buffer.from(`data: ${JSON.stringify(value)}\n\n`), ...(chunk !== undefined && { chunk: chunk }) };
}

function namedEvent(event: string, value: object): FakeEvent {
  return { bytes: Buffer.from(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`) };
}
