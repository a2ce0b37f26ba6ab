import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { EncryptionService } from '../platform/encryption/encryption.service';
import type { EncryptionContext } from '../platform/encryption/ciphertext';

/** Decrypted pair of tokens; held in memory only. */
export interface DecryptedTokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Encrypted pair, as stored in user_tokens. */
export interface EncryptedTokenPair {
  readonly sealKey: string;
  readonly encryptedAccessToken: string;
  readonly encryptedRefreshToken: string;
}

/**
 * Encrypts and decrypts the token pairs of connections. Each new pair gets a new seal key, so old ciphertexts cannot be
 * replayed.
 */
@Injectable()
export class TokenEncryptionService {
  constructor(private readonly encryption: EncryptionService) {}

  /** Encrypts a pair. Call it before the unit of work. */
  async encrypt(userId: number, { accessToken, refreshToken }: DecryptedTokenPair): Promise<EncryptedTokenPair> {
    const sealKey = randomUUID();
    const [encryptedAccessToken, encryptedRefreshToken] = await Promise.all([
      this.encryption.seal(accessToken, buildEncryptionContext('encrypted_access_token', userId, sealKey)),
      this.encryption.seal(refreshToken, buildEncryptionContext('encrypted_refresh_token', userId, sealKey)),
    ]);
    return { sealKey, encryptedAccessToken, encryptedRefreshToken };
  }

  /** Decrypts the access token. @throws EncryptionError when the row was tampered with or its key destroyed */
  decryptAccessToken({
    userId,
    sealKey,
    encryptedAccessToken,
  }: Omit<EncryptedTokenPair, 'encryptedRefreshToken'> & { userId: number }): Promise<string> {
    return this.encryption.open(
      encryptedAccessToken,
      buildEncryptionContext('encrypted_access_token', userId, sealKey),
    );
  }

  /** Decrypts the refresh token. @throws EncryptionError as `decryptAccessToken` */
  decryptRefreshToken({
    userId,
    sealKey,
    encryptedRefreshToken,
  }: Omit<EncryptedTokenPair, 'encryptedAccessToken'> & { userId: number }): Promise<string> {
    return this.encryption.open(
      encryptedRefreshToken,
      buildEncryptionContext('encrypted_refresh_token', userId, sealKey),
    );
  }
}

function buildEncryptionContext(column: string, userId: number, sealKey: string): EncryptionContext {
  return { table: 'user_tokens', column, userId, sealKey };
}
