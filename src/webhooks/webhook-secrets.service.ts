import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
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
export interface SignedMessage {
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
export interface GeneratedSecret {
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
