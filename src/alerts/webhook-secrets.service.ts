import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { EncryptionService } from '../platform/encryption/encryption.service';
import type { SealContext } from '../platform/encryption/seal-context';
import type { Webhook } from './webhook.entity';
import { newWebhookSecret } from './webhook-signature';

/** The secret before signs for so long beside the new one. */
const PREVIOUS_HOURS = 24;

/** What `webhooks` keeps of its secrets. */
type SealedSecrets = Pick<Webhook, 'sealKey' | 'encryptedSecret' | 'encryptedPreviousSecret' | 'previousSecretUntil'>;

/** A secret in the clear, to be shown once, and what is kept of it. */
export interface MadeSecret {
  readonly secret: string;
  readonly sealed: SealedSecrets;
}

/** Makes, seals and opens the secrets of webhooks. */
@Injectable()
export class WebhookSecrets {
  constructor(private readonly encryption: EncryptionService) {}

  /** Makes a secret. Call it before a unit of work. @param before the webhook whose secret it follows */
  async make(userId: number, before?: Webhook): Promise<MadeSecret> {
    const secret = newWebhookSecret();
    const sealKey = randomUUID();
    const [previous] = before ? await this.open(before) : [];
    const [encryptedSecret, encryptedPreviousSecret] = await Promise.all([
      this.encryption.seal(secret, placeOf('encrypted_secret', userId, sealKey)),
      previous === undefined
        ? null
        : this.encryption.seal(previous, placeOf('encrypted_previous_secret', userId, sealKey)),
    ]);
    const previousSecretUntil = previous === undefined ? null : new Date(Date.now() + PREVIOUS_HOURS * 3_600_000);
    return { secret, sealed: { sealKey, encryptedSecret, encryptedPreviousSecret, previousSecretUntil } };
  }

  /** The secrets that sign now, the newest first. @throws EncryptionError when the row was tampered with */
  async open(webhook: Webhook): Promise<string[]> {
    const { userId, sealKey, encryptedSecret, encryptedPreviousSecret, previousSecretUntil } = webhook;
    const secret = await this.encryption.open(encryptedSecret, placeOf('encrypted_secret', userId, sealKey));
    if (encryptedPreviousSecret === null || (previousSecretUntil?.getTime() ?? 0) <= Date.now()) return [secret];
    return [
      secret,
      await this.encryption.open(encryptedPreviousSecret, placeOf('encrypted_previous_secret', userId, sealKey)),
    ];
  }
}

function placeOf(column: string, userId: number, sealKey: string): SealContext {
  return { table: 'webhooks', column, userId, sealKey };
}
