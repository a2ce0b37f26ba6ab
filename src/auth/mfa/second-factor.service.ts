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

/** Without letters that look like others or like digits; 24 of them are 118 bits. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';

/** Makes ten codes to be shown once: `ABCDEF-GHJKMN-PQRSTV-WXYZ23`. */
export function generateBackupCodes(): string[] {
  return Array.from({ length: CODE_COUNT }, () =>
    Array.from({ length: GROUPS }, () =>
      Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
    ).join('-'),
  );
}

/**
 * The stored form of a code, which one statement can find and remove. A keyed hash is enough: 118 random bits cannot be
 * tried out, and a salted slow one could not be matched in SQL.
 * @param userId so that equal codes of two users would differ
 */
export function hashBackupCode(key: Buffer, userId: number, code: string): string {
  const letters = code.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return createHmac('sha256', key).update(`${userId}:${letters}`).digest('base64url');
}

/** What a user has set up; of a user who never did, nothing. */
export interface MfaState {
  readonly encryptedSecret: string | null;
  readonly isEnabled: boolean;
  readonly codesLeft: number;
}

/** A code of the authenticator or one of the backup codes. */
export type SecondFactorCode = { readonly code: string } | { readonly backupCode: string };

/** Checks the codes of the principal's second factor. */
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

  /** What the principal has set up. Session: user. */
  async getState(): Promise<MfaState> {
    const [row] = await this.database.query<MfaState & Record<string, unknown>>(FIND_MFA);
    return row ?? { encryptedSecret: null, isEnabled: false, codesLeft: 0 };
  }

  /**
   * Whether the code is good, and spends it: no code is accepted twice. Counts on its own as a try. Session: user.
   * @throws AppError `auth.throttled`
   */
  async consumeCode(given: SecondFactorCode): Promise<boolean> {
    const attempt = await this.throttle.recordAttempt('code', currentPrincipal().userId);
    const isGood =
      'code' in given ? await this.consumeTotp(given.code) : await this.consumeBackupCode(given.backupCode);
    if (isGood) await this.throttle.clearAttempt(attempt);
    return isGood;
  }

  /**
   * The step a code is right for under a secret not yet enabled, or null; does not spend it. Counts as a try.
   * @throws AppError `auth.throttled`
   */
  async matchTotpCode(encryptedSecret: string, code: string): Promise<number | null> {
    const attempt = await this.throttle.recordAttempt('code', currentPrincipal().userId);
    const step = await this.matchStep(encryptedSecret, code);
    if (step !== null) await this.throttle.clearAttempt(attempt);
    return step;
  }

  /** The stored form of the principal's backup codes. */
  hashBackupCodes(codes: readonly string[]): string[] {
    const { userId } = currentPrincipal();
    return codes.map((code) => hashBackupCode(this.backupCodeKey, userId, code));
  }

  /** The sealed form of the principal's secret. */
  encryptSecret(secret: string): Promise<string> {
    return this.encryption.seal(secret, buildEncryptionContext(currentPrincipal().userId));
  }

  private async consumeTotp(code: string): Promise<boolean> {
    const { encryptedSecret: encryptedSecret, isEnabled } = await this.getState();
    const step = isEnabled && encryptedSecret !== null ? await this.matchStep(encryptedSecret, code) : null;
    return step !== null && (await this.database.query(CONSUME_TOTP_STEP, [step])).length === 1;
  }

  private async consumeBackupCode(code: string): Promise<boolean> {
    return (await this.database.query(CONSUME_BACKUP_CODE, this.hashBackupCodes([code]))).length === 1;
  }

  /** A secret that does not open, or is none, makes every code wrong. */
  private async matchStep(encryptedSecret: string, code: string): Promise<number | null> {
    try {
      return matchTotp(
        await this.encryption.open(encryptedSecret, buildEncryptionContext(currentPrincipal().userId)),
        code,
      );
    } catch (error) {
      this.logger.error(`the second factor of user ${currentPrincipal().userId} cannot be read: ${String(error)}`);
      return null;
    }
  }
}

/** One row a user, so the user is the row. */
function buildEncryptionContext(userId: number): EncryptionContext {
  return { table: 'user_mfa', column: 'encrypted_totp_secret', userId, sealKey: `user:${userId}` };
}
