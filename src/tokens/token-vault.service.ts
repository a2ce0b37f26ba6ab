import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { EncryptionService } from '../platform/encryption/encryption.service';
import type { SealContext } from '../platform/encryption/seal-context';

/** A pair of tokens in the clear; it lives in memory only. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** A pair as user_tokens keeps it. */
export interface SealedPair {
  readonly sealKey: string;
  readonly encryptedAccessToken: string;
  readonly encryptedRefreshToken: string;
}

/** Seals and opens the pairs of connections. Each new pair gets a new seal key, so old ciphertexts cannot come back. */
@Injectable()
export class TokenVault {
  constructor(private readonly encryption: EncryptionService) {}

  /** Call it before a unit of work. */
  async seal(userId: number, { accessToken, refreshToken }: TokenPair): Promise<SealedPair> {
    const sealKey = randomUUID();
    const [encryptedAccessToken, encryptedRefreshToken] = await Promise.all([
      this.encryption.seal(accessToken, placeOf('encrypted_access_token', userId, sealKey)),
      this.encryption.seal(refreshToken, placeOf('encrypted_refresh_token', userId, sealKey)),
    ]);
    return { sealKey, encryptedAccessToken, encryptedRefreshToken };
  }

  /** @throws EncryptionError when the row was tampered with, or its key destroyed */
  openAccessToken({
    userId,
    sealKey,
    encryptedAccessToken,
  }: Omit<SealedPair, 'encryptedRefreshToken'> & { userId: number }): Promise<string> {
    return this.encryption.open(encryptedAccessToken, placeOf('encrypted_access_token', userId, sealKey));
  }

  /** @throws EncryptionError as `openAccessToken` */
  openRefreshToken({
    userId,
    sealKey,
    encryptedRefreshToken,
  }: Omit<SealedPair, 'encryptedAccessToken'> & { userId: number }): Promise<string> {
    return this.encryption.open(encryptedRefreshToken, placeOf('encrypted_refresh_token', userId, sealKey));
  }
}

function placeOf(column: string, userId: number, sealKey: string): SealContext {
  return { table: 'user_tokens', column, userId, sealKey };
}
