import type { FakeVendor } from './fake-bill';

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
  /** Of the text up to a piece. */
  readonly outputAfter: (pieces: number) => number;
}

/** One event of a stream: its bytes, and the piece of the text it carries. */
export interface FakeEvent {
  readonly bytes: Buffer;
  readonly piece?: string;
}

/** Reads a request of one of the three protocols; undefined for an address the vendors do not have. */
export function readFakeRequest(url: string, body: Body): FakeRequest | undefined {
  if (url.endsWith('/chat/completions')) {
    const [system, user] = body.messages ?? [];
    return {
      vendor: 'openai',
      model: body.model ?? '',
      system: textOf(system?.content),
      prompt: textOf(user?.content),
      body,
    };
  }
  if (url.endsWith('/messages')) {
    return {
      vendor: 'anthropic',
      model: body.model ?? '',
      system: textOf(body.system),
      prompt: textOf(body.messages?.[0]?.content),
      body,
    };
  }
  const [, model] = /\/models\/([^/:]+):streamGenerateContent/.exec(url) ?? [];
  if (model === undefined) return undefined;
  return {
    vendor: 'google',
    model,
    system: textOf(body.systemInstruction?.parts),
    prompt: textOf(body.contents?.[0]?.parts),
    body,
  };
}

/** What a vendor reports otherwise than its documentation has it. */
export interface FakeOddity {
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
export function fakeEvents(
  { vendor, model }: FakeRequest,
  pieces: readonly string[],
  usage: FakeUsage,
  odd: FakeOddity = {},
): FakeEvent[] {
  if (vendor === 'openai') return openai(model, pieces, usage, odd);
  return vendor === 'anthropic' ? anthropic(model, pieces, usage, odd) : google(model, pieces, usage, odd);
}

/** The vendor's way of saying, in mid-stream, that it failed. */
export function fakeErrorEvent(vendor: FakeVendor): FakeEvent {
  if (vendor === 'anthropic')
    return named('error', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded (fake)' } });
  return data({
    error: { message: 'The server had an error (fake)', type: 'server_error', code: 500, status: 'INTERNAL' },
  });
}

/** The parts of the three bodies that the fake reads. */
export interface Body {
  readonly model?: string;
  readonly stream?: boolean;
  readonly system?: Content;
  readonly messages?: readonly { readonly role: string; readonly content: Content }[];
  readonly systemInstruction?: { readonly parts: Content };
  readonly contents?: readonly { readonly parts: Content }[];
}

type Content = string | readonly { readonly text?: string }[];

function textOf(content: Content | undefined): string {
  if (content === undefined || typeof content === 'string') return content ?? '';
  return content.map(({ text }) => text ?? '').join('');
}

function openai(model: string, pieces: readonly string[], usage: FakeUsage, odd: FakeOddity): FakeEvent[] {
  const chunk = (delta: object, finish: string | null): object => ({
    id: 'chatcmpl-fake',
    object: 'chat.completion.chunk',
    created: 1_767_225_600,
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
    usage: null,
  });
  const output = usage.outputAfter(pieces.length);
  const counts = {
    prompt_tokens: usage.inputAiTokens,
    completion_tokens: output,
    total_tokens: usage.inputAiTokens + output,
    prompt_tokens_details: { cached_tokens: usage.cachedAiTokens },
  };
  return [
    data(chunk({ role: 'assistant', content: '' }, null)),
    ...pieces.map((piece) => data(chunk({ content: piece }, null), piece)),
    ...(odd.tool
      ? [data(chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: FAKE_TOOL }] }, null))]
      : []),
    data(chunk({}, odd.tool ? 'tool_calls' : (odd.finish ?? 'stop'))),
    data({ ...chunk({}, null), choices: [], usage: 'usage' in odd ? odd.usage : counts }),
    { bytes: Buffer.from('data: [DONE]\n\n') },
  ];
}

const FAKE_TOOL = { name: 'http_get', arguments: '{"url":"http://169.254.169.254/"}' };

function anthropic(model: string, pieces: readonly string[], usage: FakeUsage, odd: FakeOddity): FakeEvent[] {
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
    named('message_start', { type: 'message_start', message }),
    named('content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...pieces.map((piece) => ({ ...named('content_block_delta', delta(piece)), piece })),
    named('content_block_stop', { type: 'content_block_stop', index: 0 }),
    named('message_delta', {
      type: 'message_delta',
      delta: { stop_reason: odd.finish ?? 'end_turn', stop_sequence: null },
      usage: 'usage' in odd ? odd.usage : { output_tokens: usage.outputAfter(pieces.length) },
    }),
    named('message_stop', { type: 'message_stop' }),
  ];
}

function google(model: string, pieces: readonly string[], usage: FakeUsage, odd: FakeOddity): FakeEvent[] {
  if (odd.blockReason !== undefined) {
    return [
      data({
        promptFeedback: { blockReason: odd.blockReason },
        usageMetadata: { promptTokenCount: usage.inputAiTokens },
        modelVersion: model,
      }),
    ];
  }
  return pieces.map((piece, index) => {
    const output = usage.outputAfter(index + 1);
    const counts = {
      promptTokenCount: usage.inputAiTokens,
      cachedContentTokenCount: usage.cachedAiTokens,
      candidatesTokenCount: output,
      totalTokenCount: usage.inputAiTokens + output,
    };
    const candidate = {
      content: { role: 'model', parts: [{ text: piece }] },
      index: 0,
      ...(index === pieces.length - 1 && { finishReason: odd.finish ?? 'STOP' }),
    };
    return data(
      { candidates: [candidate], usageMetadata: 'usage' in odd ? odd.usage : counts, modelVersion: model },
      piece,
    );
  });
}

function data(value: object, piece?: string): FakeEvent {
  return { bytes: Buffer.from(`data: ${JSON.stringify(value)}\n\n`), ...(piece !== undefined && { piece }) };
}

function named(event: string, value: object): FakeEvent {
  return { bytes: Buffer.from(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`) };
}
