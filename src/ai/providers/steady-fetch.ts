/**
 * Makes a fetch whose answer, when the connection breaks, ends instead of failing: a stream that fails drops what it had
 * not yet handed on, and the vendor charges for that too. Who reads it notices the missing end.
 */
export function steadyFetch(fetchIt: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const response = await fetchIt(input, init);
    if (!response.ok || !response.body) return response;
    const { status, statusText, headers } = response;
    return new Response(steady(response.body), { status, statusText, headers });
  };
}

function steady(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await reader.read().catch(() => ({ done: true as const, value: undefined }));
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
