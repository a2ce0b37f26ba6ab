import { z } from 'zod';
import type { Usage } from '../usage/cost';
import { ProviderError } from './provider';
import { parseUsage } from './provider-usage';

/** A longer event carries no piece of a text. */
const MAX_EVENT_CHARACTERS = 1_048_576;

/** The longest answer with its protocol around it is far shorter; what goes on is an answer without an end. */
const MAX_RESPONSE_BYTES = 33_554_432;

/** Receives what a vendor reports of its usage. */
export type OnUsage = (usage: Partial<Usage>) => void;

/**
 * Makes the fetch of one call of a vendor. It calls once: an answer that asks for a continuation gets none, for it would
 * cost more than was reserved. An answer whose connection breaks ends instead of failing: a stream that fails drops what
 * it had not yet handed on, and the vendor charges for that too. The usage is taken out of the events, so that no number
 * of a vendor's reaches the SDK.
 */
export function createProviderFetch(name: string, onUsage: OnUsage, fetchIt: typeof fetch = fetch): typeof fetch {
  let isUsed = false;
  return async (input, init) => {
    if (isUsed) return new Response('', { headers: { 'content-type': 'text/event-stream' } });
    isUsed = true;
    const response = await fetchIt(input, init);
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

/** Most events have none, or null. */
const MAY_HAVE_USAGE = /"usage(?:Metadata)?"\s*:\s*(?!null)|"message_(?:start|delta)"/;

/** What Anthropic's events must have; nobody reads it. */
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
