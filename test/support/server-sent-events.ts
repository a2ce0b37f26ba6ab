/** A server-sent event. */
export interface ServerEvent {
  readonly id: number;
  readonly event: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what it holds is what the test is about to say
  readonly data: any;
}

/** The request for a stream of events. */
export interface EventsRequest {
  readonly token: string;
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Leaves after this number of events. */
  readonly take?: number;
  /** Called with each event and its index. Reading continues when its promise has resolved. */
  readonly onEvent?: (event: ServerEvent, index: number) => unknown;
}

/** Reads server-sent events until their end, or leaves. A broken connection counts as the end. */
export async function readEvents(
  url: string,
  request: EventsRequest,
): Promise<{ status: number; location: string; events: ServerEvent[] }> {
  const { token, method = 'GET', body, headers = {}, take = Infinity, onEvent } = request;
  const leave = new AbortController();
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: leave.signal,
  });
  const events: ServerEvent[] = [];
  const location = response.headers.get('location') ?? '';
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body!) {
      rest += decoder.decode(chunk, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop()!;
      for (const event of blocks.map(parseEvent).filter((event) => event !== undefined)) {
        events.push(event);
        await onEvent?.(event, events.length - 1);
      }
      if (events.length >= take) break;
    }
  } catch {
    // The server is gone; the events so far count.
  } finally {
    leave.abort();
  }
  return { status: response.status, location, events: events.slice(0, take) };
}

/** Joins the text of the chunks. */
export function joinText(events: readonly ServerEvent[]): string {
  return events
    .filter(({ event }) => event === 'delta')
    .map(({ data }) => String(data.text))
    .join('');
}

function parseEvent(block: string): ServerEvent | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const data = field('data');
  return data === undefined
    ? undefined
    : { id: Number(field('id')), event: field('event') ?? 'message', data: JSON.parse(data) };
}
