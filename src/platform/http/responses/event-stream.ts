import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

/** The media type of server-sent events. */
export const EVENT_STREAM = 'text/event-stream';

/**
 * Returns a server-sent event in its wire format.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function formatEvent(event: string, id: number, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Returns the response with these events. X-Accel-Buffering keeps proxies from buffering it. */
export function toEventStream(events: AsyncGenerator<string>, reply: FastifyReply): StreamableFile {
  void reply.header('x-accel-buffering', 'no');
  return new StreamableFile(Readable.from(events, { objectMode: false }), { type: `${EVENT_STREAM}; charset=utf-8` });
}

/** Runs each step of a generator in the context that `enter` sets: its reader pulls outside of the request. */
export async function* runStepsInContext<T>(
  source: AsyncGenerator<T>,
  enter: <R>(work: () => R) => R,
): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await enter(() => source.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await enter(() => source.return(undefined));
  }
}
