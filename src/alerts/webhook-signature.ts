import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';

/** Bytes of a secret; the specification wants 24 to 64. */
const SECRET_BYTES = 32;

/** Makes a webhook's secret: `whsec_` and base64 of 32 random bytes. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** What identifies one attempt of a delivery, and what it says. */
export interface SignedMessage {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Returns the headers by which a receiver knows who sent a message, that it is whole, and that it is no old one repeated:
 * id, time, and one signature for each secret.
 * @see the Standard Webhooks specification 1.0.0, "Signature scheme"
 */
export function signatureHeaders(
  { id, timestamp, body }: SignedMessage,
  secrets: readonly string[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
