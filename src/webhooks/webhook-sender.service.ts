import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { parseRetryAfter } from '../platform/http/edge/header-values';
import { AddressRefusedError, assertAllowedUrl, createPublicLookup, type AddressPolicy } from './webhook-address';
import { buildSignatureHeaders, type SignedMessage } from './webhook-secrets.service';

/** The response body is discarded; the connection is closed after this many bytes. */
const MAX_RESPONSE_BYTES = 65_536;

/** Maximum pause that a receiver may ask for. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Statuses whose Retry-After is honored. */
const BUSY_STATUSES: readonly number[] = [429, 503];

/** Result of an attempt. */
export interface SendResult {
  /** HTTP status; null without an answer. */
  readonly status: number | null;
  /** Reason of the failure; null for a 2xx. */
  readonly error: string | null;
  /** Pause that the receiver asked for. */
  readonly retryAfterMs?: number | undefined;
  readonly hasTimedOut?: boolean;
}

/** Calls webhooks at a checked address, without following redirects, within a timeout. */
@Injectable()
export class WebhookSenderService {
  /** Allowed addresses on this server. */
  readonly addressPolicy: AddressPolicy;
  /** Timeout from the DNS lookup to the end of the response. */
  timeoutMs = 10_000;

  constructor({ isProduction }: Config) {
    this.addressPolicy = { isLoopbackAllowed: !isProduction };
  }

  /** Sends a signed message; never throws. Must not be called inside a unit of work. */
  async send(url: string, message: SignedMessage, secrets: readonly string[]): Promise<SendResult> {
    try {
      assertAllowedUrl(url, this.addressPolicy);
      return toSendResult(await this.post(new URL(url), message.body, buildSignatureHeaders(message, secrets)));
    } catch (error) {
      const hasTimedOut = isTimeout(error);
      return { status: null, error: this.describeError(error), ...(hasTimedOut && { hasTimedOut }) };
    }
  }

  private post(url: URL, body: string, signature: Record<string, string>): Promise<IncomingMessage> {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method: 'POST',
        agent: false,
        lookup: createPublicLookup(this.addressPolicy),
        signal: AbortSignal.timeout(this.timeoutMs),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'Gigvault',
          ...signature,
        },
      });
      request.on('error', reject);
      // Without a listener, Node emits nothing for a 101, not even at the timeout.
      request.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response);
      });
      request.on('response', (response) => {
        discardBody(response);
        resolve(response);
      });
      request.end(body);
    });
  }

  /** Describes an error for the user; other messages could reveal the internal network. */
  private describeError(error: unknown): string {
    if (error instanceof AddressRefusedError) return error.message;
    const { code } = error as { code?: string };
    if (isTimeout(error)) return `The receiver did not answer within ${this.timeoutMs / 1_000} s.`;
    return `The receiver could not be reached (${code ?? 'unknown'}).`;
  }
}

function toSendResult({ statusCode: status = 0, headers }: IncomingMessage): SendResult {
  if (status >= 200 && status < 300) return { status, error: null };
  const pauseMs = BUSY_STATUSES.includes(status)
    ? parseRetryAfter(headers['retry-after'], MAX_RETRY_AFTER_MS)
    : undefined;
  return { status, error: `The receiver answered ${status}.`, ...(pauseMs !== undefined && { retryAfterMs: pauseMs }) };
}

function isTimeout(error: unknown): boolean {
  const { name } = error as { name?: string };
  return name === 'AbortError' || name === 'TimeoutError';
}

function discardBody(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_RESPONSE_BYTES) response.destroy();
  });
}
