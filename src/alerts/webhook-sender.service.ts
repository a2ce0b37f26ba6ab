import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { AddressRefusedError, assertReachable, reachableLookup, type Reach } from './reachable-address';
import { signatureHeaders, type SignedMessage } from './webhook-signature';

/** What a receiver answers is nobody's to read; so much is taken off his hands, then he is cut off. */
const MAX_ANSWER_BYTES = 65_536;

/** What became of an attempt. */
export interface SendResult {
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Why it is no success; null for a 2xx. */
  readonly error: string | null;
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
      const status = await this.post(new URL(url), message.body, signatureHeaders(message, secrets));
      return { status, error: status >= 200 && status < 300 ? null : `it answered ${status}` };
    } catch (error) {
      return { status: null, error: this.reasonOf(error) };
    }
  }

  private post(url: URL, body: string, signature: Record<string, string>): Promise<number> {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method: 'POST',
        agent: false,
        lookup: reachableLookup(this.reach),
        signal: AbortSignal.timeout(this.timeoutMs),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'user-agent': 'Gigvault', ...signature },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        resolve(response.statusCode ?? 0);
        drain(response);
      });
      request.end(body);
    });
  }

  /** Only what its user can do something about; other words of an error may tell of our network. */
  private reasonOf(error: unknown): string {
    if (error instanceof AddressRefusedError) return error.message;
    const { name, code } = error as { name?: string; code?: string };
    if (name === 'AbortError' || name === 'TimeoutError') return `it did not answer within ${this.timeoutMs / 1_000} s`;
    return `it could not be reached (${code ?? 'unknown'})`;
  }
}

function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) response.destroy();
  });
}
