/** The time limit of a call. */
const CALL_TIMEOUT_MS = 10_000;

/** Longest response that is read; the cosignatures of a witness have some hundred bytes. */
const MAX_RESPONSE_BYTES = 65_536;

/** The answer of a server. */
export interface TextResponse {
  readonly status: number;
  /** Media type without parameters, in lower case. */
  readonly mediaType: string;
  readonly text: string;
}

/**
 * Posts a text to a URL of the settings, which may name a private address as other settings may. Redirects are not
 * followed. Must not be called inside a unit of work.
 * @throws Error without an answer within 10 seconds, and for one above 64 KiB
 */
export async function postText(
  url: string,
  body: string,
  signal: AbortSignal,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<TextResponse> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'user-agent': 'Gigvault' },
      body,
      signal: AbortSignal.any([signal, timeout]),
    });
    const mediaType = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    return { status: response.status, mediaType, text: await readText(response) };
  } catch (error) {
    if (timeout.aborted) throw new Error(`no answer within ${timeoutMs / 1_000} s`, { cause: error });
    const { cause } = error as { cause?: { code?: string } };
    throw cause?.code === undefined ? error : new Error(`not reachable (${cause.code})`, { cause: error });
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the response.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunks.at(-1)!.length;
    if (bytes > MAX_RESPONSE_BYTES) throw new Error(`the answer has more than ${MAX_RESPONSE_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString();
}
