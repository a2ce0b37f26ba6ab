import { createHmac, randomInt } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { Database } from '../../platform/database/database';
import { EncryptionService } from '../../platform/encryption/encryption.service';
import type { EncryptionContext } from '../../platform/encryption/ciphertext';
import { currentPrincipal } from '../../platform/http/access/access';
import { LoginThrottleService } from '../login-throttle/login-throttle.service';
import { FIND_MFA, CONSUME_BACKUP_CODE, CONSUME_TOTP_STEP } from './mfa.queries';
import { matchTotp } from './totp';

const CODE_COUNT = 10;
const GROUPS = 4;
const GROUP_LENGTH = 6;

/** Characters of backup codes, without lookalikes; 24 of them are 118 bits. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';

/** Generates ten backup codes: `ABCDEF-GHJKMN-PQRSTV-WXYZ23`. */
export function generateBackupCodes(): string[] {
  return Array.from({ length: CODE_COUNT }, () =>
    Array.from({ length: GROUPS }, () =>
      Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
    ).join('-'),
  );
}

/**
 * Returns the stored form of a backup code, which one statement can find and remove. A keyed hash is enough for 118
 * random bits, and a salted slow hash could not be matched in SQL.
 * @param userId makes equal codes of two users differ
 */
export function hashBackupCode(key: Buffer, userId: number, code: string): string {
  const normalized = code.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return createHmac('sha256', key).update(`${userId}:${normalized}`).digest('base64url');
}

/** The second factor of a user; without an enrolment it has no secret and is off. */
export interface MfaState {
  readonly encryptedSecret: string | null;
  readonly isEnabled: boolean;
  readonly codesLeft: number;
}

/** A code of the authenticator or one of the backup codes. */
export type SecondFactorCode = { readonly code: string } | { readonly backupCode: string };

/** Checks the codes of the signed-in user's second factor. */
@Injectable()
export class SecondFactorService {
  private readonly logger = new Logger(SecondFactorService.name);
  private readonly backupCodeKey: Buffer;

  constructor(
    private readonly database: Database,
    private readonly encryption: EncryptionService,
    private readonly throttle: LoginThrottleService,
    config: Config,
  ) {
    this.backupCodeKey = config.secrets.derive('backup-code');
  }

  /** Returns the user's second factor. Session: user. */
  async getState(): Promise<MfaState> {
    const [row] = await this.database.query<MfaState & Record<string, unknown>>(FIND_MFA);
    return row ?? { encryptedSecret: null, isEnabled: false, codesLeft: 0 };
  }

  /**
   * Consumes a code and returns whether it was valid; no code is accepted twice. Counts as an attempt. Session: user.
   * @throws AppError `auth.throttled`
   */
  async consumeCode(given: SecondFactorCode): Promise<boolean> {
    const attempt = await this.throttle.recordAttempt('code', currentPrincipal().userId);
    const isValid =
      'code' in given ? await this.consumeTotp(given.code) : await this.consumeBackupCode(given.backupCode);
    if (isValid) await this.throttle.clearAttempt(attempt);
    return isValid;
  }

  /**
   * Returns the step of a code under a secret not yet enabled, or null; does not consume it. Counts as an attempt.
   * @throws AppError `auth.throttled`
   */
  async matchTotpCode(encryptedSecret: string, code: string): Promise<number | null> {
    const attempt = await this.throttle.recordAttempt('code', currentPrincipal().userId);
    const step = await this.matchStep(encryptedSecret, code);
    if (step !== null) await this.throttle.clearAttempt(attempt);
    return step;
  }

  /** Returns the stored form of the user's backup codes. */
  hashBackupCodes(codes: readonly string[]): string[] {
    const { userId } = currentPrincipal();
    return codes.map((code) => hashBackupCode(this.backupCodeKey, userId, code));
  }

  /** Encrypts the user's secret. */
  encryptSecret(secret: string): Promise<string> {
    return this.encryption.seal(secret, buildEncryptionContext(currentPrincipal().userId));
  }

  private async consumeTotp(code: string): Promise<boolean> {
    const { encryptedSecret, isEnabled } = await this.getState();
    const step = isEnabled && encryptedSecret !== null ? await this.matchStep(encryptedSecret, code) : null;
    return step !== null && (await this.database.query(CONSUME_TOTP_STEP, [step])).length === 1;
  }

  private async consumeBackupCode(code: string): Promise<boolean> {
    return (await this.database.query(CONSUME_BACKUP_CODE, this.hashBackupCodes([code]))).length === 1;
  }

  /** Returns the step of a code; null when it is wrong or the secret cannot be decrypted or is malformed. */
  private async matchStep(encryptedSecret: string, code: string): Promise<number | null> {
    try {
      return matchTotp(
        await this.encryption.open(encryptedSecret, buildEncryptionContext(currentPrincipal().userId)),
        code,
      );
    } catch (error) {
      this.logger.error(`cannot read the second factor of user ${currentPrincipal().userId}: ${String(error)}`);
      return null;
    }
  }
}

/** Each user has one row, so the user's id identifies it. */
function buildEncryptionContext(userId: number): EncryptionContext {
  return { table: 'user_mfa', column: 'encrypted_totp_secret', userId, sealKey: `user:${userId}` };
}
