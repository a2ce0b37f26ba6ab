import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { retryAfterMs } from '../platform/http/retry-after';
import { AddressRefusedError, assertReachable, reachableLookup, type Reach } from './reachable-address';
import { signatureHeaders, type SignedMessage } from './webhook-signature';

/** The answer's body is discarded; the connection is closed after this many bytes. */
const MAX_ANSWER_BYTES = 65_536;

/** A receiver may ask for a pause of at most this. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Answers whose Retry-After counts. */
const BUSY: readonly number[] = [429, 503];

/** What became of an attempt. */
export interface SendResult {
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Why it is no success; null for a 2xx. */
  readonly error: string | null;
  /** The receiver asked for this pause. */
  readonly retryAfterMs?: number | undefined;
  readonly hasTimedOut?: boolean;
}

/** Calls webhooks: by the address that was judged, without following redirects, within a time limit. */
@Injectable()
export class WebhookSender {
  /** Where webhooks may lead on this server. */
  readonly reach: Reach;
  /** From the lookup of the name to the end of the answer. */
  timeoutMs = 10_000;

  constructor({ isProduction }: Config) {
    this.reach = { loopback: !isProduction };
  }

  /** Sends a signed message; never throws. Never to be called inside a unit of work. */
  async send(url: string, message: SignedMessage, secrets: readonly string[]): Promise<SendResult> {
    try {
      assertReachable(url, this.reach);
      return resultOf(await this.post(new URL(url), message.body, signatureHeaders(message, secrets)));
    } catch (error) {
      const hasTimedOut = isTimeout(error);
      return { status: null, error: this.reasonOf(error), ...(hasTimedOut && { hasTimedOut }) };
    }
  }

  private post(url: URL, body: string, signature: Record<string, string>): Promise<IncomingMessage> {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method: 'POST',
        agent: false,
        lookup: reachableLookup(this.reach),
        signal: AbortSignal.timeout(this.timeoutMs),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'Gigvault',
          ...signature,
        },
      });
      request.on('error', reject);
      // Without a listener Node would emit nothing at all for a 101, not even at the time limit.
      request.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response);
      });
      request.on('response', (response) => {
        drain(response);
        resolve(response);
      });
      request.end(body);
    });
  }

  /** Only what its user can do something about; other words of an error may tell of our network. */
  private reasonOf(error: unknown): string {
    if (error instanceof AddressRefusedError) return error.message;
    const { code } = error as { code?: string };
    if (isTimeout(error)) return `it did not answer within ${this.timeoutMs / 1_000} s`;
    return `it could not be reached (${code ?? 'unknown'})`;
  }
}

function resultOf({ statusCode: status = 0, headers }: IncomingMessage): SendResult {
  if (status >= 200 && status < 300) return { status, error: null };
  const pauseMs = BUSY.includes(status) ? retryAfterMs(headers['retry-after'], MAX_RETRY_AFTER_MS) : undefined;
  return { status, error: `it answered ${status}`, ...(pauseMs !== undefined && { retryAfterMs: pauseMs }) };
}

function isTimeout(error: unknown): boolean {
  const { name } = error as { name?: string };
  return name === 'AbortError' || name === 'TimeoutError';
}

function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) response.destroy();
  });
}
