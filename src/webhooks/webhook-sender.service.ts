import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { Config } from '../platform/config/config';
import { parseRetryAfter } from '../platform/http/edge/header-values';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { EncryptionService } from '../platform/encryption/encryption.service';
import type { EncryptionContext } from '../platform/encryption/ciphertext';
import type { Webhook } from './webhook.entity';

const PREFIX = 'whsec_';

/** Bytes of a secret; the specification requires 24 to 64. */
const SECRET_BYTES = 32;

/** Generates a webhook secret: `whsec_` and base64 of 32 random bytes. */
export function generateWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** Message to sign. */
interface SignedMessage {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Builds the signature headers: id, timestamp, and one signature per secret. They let a receiver verify the sender, the
 * integrity and the age of a message.
 * @see the Standard Webhooks specification 1.0.0, "Signature scheme"
 */
export function buildSignatureHeaders(
  { id, timestamp, body }: SignedMessage,
  secrets: readonly string[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

/** Hours for which the previous secret also signs. */
const PREVIOUS_HOURS = 24;

/** Columns of `webhooks` for its secrets. */
type EncryptedSecrets = Pick<
  Webhook,
  'sealKey' | 'encryptedSecret' | 'encryptedPreviousSecret' | 'previousSecretUntil'
>;

/** Plain secret, shown once, and its encrypted columns. */
interface GeneratedSecret {
  readonly secret: string;
  readonly encrypted: EncryptedSecrets;
}

/** Generates, encrypts and decrypts the secrets of webhooks. */
@Injectable()
export class WebhookSecretsService {
  constructor(private readonly encryption: EncryptionService) {}

  /** Generates a secret. Call it before the unit of work. @param before the webhook whose secret is replaced */
  async generate(userId: number, before?: Webhook): Promise<GeneratedSecret> {
    const secret = generateWebhookSecret();
    const sealKey = randomUUID();
    const [previous] = before ? await this.decrypt(before) : [];
    const [encryptedSecret, encryptedPreviousSecret] = await Promise.all([
      this.encryption.seal(secret, buildEncryptionContext('encrypted_secret', userId, sealKey)),
      previous === undefined
        ? null
        : this.encryption.seal(previous, buildEncryptionContext('encrypted_previous_secret', userId, sealKey)),
    ]);
    const previousSecretUntil = previous === undefined ? null : new Date(Date.now() + PREVIOUS_HOURS * 3_600_000);
    return { secret, encrypted: { sealKey, encryptedSecret, encryptedPreviousSecret, previousSecretUntil } };
  }

  /** Returns the secrets that sign now, newest first. @throws EncryptionError when the row was tampered with */
  async decrypt(webhook: Webhook): Promise<string[]> {
    const { userId, sealKey, encryptedSecret, encryptedPreviousSecret, previousSecretUntil } = webhook;
    const secret = await this.encryption.open(
      encryptedSecret,
      buildEncryptionContext('encrypted_secret', userId, sealKey),
    );
    if (encryptedPreviousSecret === null || (previousSecretUntil?.getTime() ?? 0) <= Date.now()) return [secret];
    return [
      secret,
      await this.encryption.open(
        encryptedPreviousSecret,
        buildEncryptionContext('encrypted_previous_secret', userId, sealKey),
      ),
    ];
  }
}

function buildEncryptionContext(column: string, userId: number, sealKey: string): EncryptionContext {
  return { table: 'webhooks', column, userId, sealKey };
}

/** Allowed addresses: public ones by https; in development also loopback, by http too. */
interface AddressPolicy {
  readonly isLoopbackAllowed: boolean;
}

/** Rejection of an address; the message is shown to the user. */
export class AddressRefusedError extends Error {}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Checks the text of a webhook URL. The addresses its name resolves to are checked by `createPublicLookup`.
 * @throws AddressRefusedError
 */
export function assertAllowedUrl(text: string, policy: AddressPolicy): void {
  if (!URL.canParse(text)) throw new AddressRefusedError('The webhook URL is not a valid URL.');
  const { protocol, username, password, hostname } = new URL(text);
  if (username !== '' || password !== '')
    throw new AddressRefusedError('Webhook URLs must not contain a user name or a password.');
  const host = hostname.replace(/^\[|\]$|\.$/g, '');
  const isLocal = LOCALHOST.test(host) || (isIP(host) !== 0 && isLoopback(host));
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal && policy.isLoopbackAllowed)) {
    throw new AddressRefusedError('Webhook URLs must begin with https://.');
  }
  if (isIP(host) !== 0) assertAllowedAddress(host, policy);
  else if (!(isLocal && policy.isLoopbackAllowed)) assertPublicName(host);
}

/** Names of the loopback interface. @see RFC 6761 section 6.3 */
const LOCALHOST = /^(?:.+\.)?localhost$/;

/**
 * Names that never resolve to a public address. @see the IANA special-use domain name registry; ICANN's reservation of
 * .internal
 */
const PRIVATE_NAMES =
  /(?:^|\.)(?:localhost|local|internal|test|invalid|onion|home\.arpa|[^.]+\.(?:in-addr|ip6)\.arpa)$/;

/** Rejects names of private domains and names without a dot, which are never public. @throws AddressRefusedError */
function assertPublicName(host: string): void {
  if (host.includes('.') && !PRIVATE_NAMES.test(host)) return;
  throw new AddressRefusedError(NOT_PUBLIC);
}

const NOT_PUBLIC = 'The webhook URL must lead to a public address.';

/**
 * Creates a lookup function for node's http client that returns public addresses only. The connection uses the checked
 * address, so changing DNS afterwards (DNS rebinding) has no effect. One rejected address rejects all.
 */
export function createPublicLookup(policy: AddressPolicy) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      try {
        for (const { address } of addresses) assertAllowedAddress(address, policy);
      } catch (refusal) {
        return callback(refusal as Error, '');
      }
      const [first] = addresses;
      if (options.all || !first) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** Rejects addresses that are neither public nor allowed loopback, such as private and link-local networks. */
function assertAllowedAddress(address: string, { isLoopbackAllowed }: AddressPolicy): void {
  if (isPublic(address)) return;
  if (isLoopbackAllowed && isLoopback(address)) return;
  throw new AddressRefusedError(NOT_PUBLIC);
}

/** Azure platform address: formally public, but reachable only inside Azure, where it serves machine configuration. */
const AZURE_PLATFORM = '168.63.129.16';

/** Only part of IPv6 that is allocated as public addresses; the rest includes embedded IPv4 addresses. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Returns true for a public address. @see the IANA IPv4 and IPv6 special-purpose address registries; RFC 4291 section
 * 2.5
 */
function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || parsed.toString() === AZURE_PLATFORM) return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}

function isLoopback(address: string): boolean {
  return ipaddr.process(address).range() === 'loopback';
}

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
