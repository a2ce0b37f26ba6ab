import { z } from 'zod';
import type { Usage } from '../usage/cost';
import { ProviderError } from './provider';
import { parseUsage } from './provider-usage';

/** Maximum length of one event; longer ones carry no text chunk. */
const MAX_EVENT_CHARACTERS = 1_048_576;

/** Maximum size of a response: far above the longest answer with its protocol. */
const MAX_RESPONSE_BYTES = 33_554_432;

/** Receives the usage that a provider reports. */
export type OnUsage = (usage: Partial<Usage>) => void;

/**
 * Creates the fetch function for one provider call. It sends one request: a continuation would cost more than was
 * reserved, so it gets an empty answer. A broken connection ends the stream instead of failing it: a failing stream
 * drops buffered text that the provider charges for. Usage is extracted from the events, so the SDK never reads it.
 */
export function createProviderFetch(name: string, onUsage: OnUsage, fetchFn: typeof fetch = fetch): typeof fetch {
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
