import { Injectable, Logger } from '@nestjs/common';
import { toString as drawQrCode } from 'qrcode';
import { Database } from '../../platform/database/database';
import { AppError, invalidValue } from '../../platform/errors/app-error';
import { AccountNotificationsService } from '../accounts/account-notifications.service';
import { currentPrincipal } from '../../platform/http/access/access';
import { SecurityEventsService } from '../security-events/security-events.service';
import { SessionsService } from '../sessions/sessions.service';
import {
  DISABLE_TOTP,
  ENABLE_TOTP,
  ENROL_TOTP,
  REPLACE_BACKUP_CODES,
  FIND_MFA,
  CONSUME_BACKUP_CODE,
  CONSUME_TOTP_STEP,
} from './mfa.queries';
import { generateTotpSecret, buildOtpauthUrl, matchTotp } from './totp';
import { createHmac, randomInt } from 'node:crypto';
import { Config } from '../../platform/config/config';
import { EncryptionService } from '../../platform/encryption/encryption.service';
import type { EncryptionContext } from '../../platform/encryption/ciphertext';
import { LoginThrottleService } from '../login-throttle/login-throttle.service';
import { AccountsService, type Account } from '../accounts/accounts.service';
import { isTotpCode } from '../accounts/credential-fields';
import { PasswordsService } from '../passwords/passwords.service';

const CODE_COUNT = 10;
const GROUPS = 4;
const GROUP_LENGTH = 6;

/** Characters of backup codes, without lookalikes; 24 of them are 118 bits. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';

/** Generates ten backup codes: `ABCDEF-GHJKMN-PQRSTV-WXYZ23`. */
function generateBackupCodes(): string[] {
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
function hashBackupCode(key: Buffer, userId: number, code: string): string {
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
    return this.throttle.countFailure('code', currentPrincipal().userId, () =>
      'code' in given ? this.consumeTotp(given.code) : this.consumeBackupCode(given.backupCode),
    );
  }

  /**
   * Returns the step of a code under a secret not yet enabled, or null; does not consume it. Counts as an attempt.
   * @throws AppError `auth.throttled`
   */
  async matchTotpCode(encryptedSecret: string, code: string): Promise<number | null> {
    return this.throttle.countFailure('code', currentPrincipal().userId, () => this.matchStep(encryptedSecret, code));
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

  /**
   * Returns the step of a code; null when it is wrong or the secret cannot be decrypted or is malformed.
   * @throws AppError `service.unavailable`, after which the secret may still be decrypted later
   */
  private async matchStep(encryptedSecret: string, code: string): Promise<number | null> {
    try {
      return matchTotp(
        await this.encryption.open(encryptedSecret, buildEncryptionContext(currentPrincipal().userId)),
        code,
      );
    } catch (error) {
      if (error instanceof AppError) throw error;
      this.logger.error(`cannot read the second factor of user ${currentPrincipal().userId}: ${String(error)}`);
      return null;
    }
  }
}

/** Each user has one row, so the user's id identifies it. */
function buildEncryptionContext(userId: number): EncryptionContext {
  return { table: 'user_mfa', column: 'encrypted_totp_secret', userId, sealKey: `user:${userId}` };
}

/** Re-authenticates the signed-in user before security-relevant changes of the account. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly secondFactor: SecondFactorService,
    private readonly throttle: LoginThrottleService,
  ) {}

  /**
   * Checks the password of the signed-in user and returns the account. Session: user.
   * @throws AppError `auth.credentials_invalid`, `auth.throttled`, `rate.too_many_at_once`
   */
  async checkPassword(password: string): Promise<Account> {
    const { userId } = currentPrincipal();
    const account = await this.throttle.countFailure('password', userId, async () => {
      const found = await this.accounts.findAccount(userId);
      return (await this.passwords.verify(password, found?.encryptedPassword, found?.email)) ? found : null;
    });
    if (!account)
      throw new AppError('auth.credentials_invalid', { detail: 'The password is wrong. Send your current password.' });
    return account;
  }

  /**
   * Checks the password and, with a second factor, consumes the code; returns the account. Session: user.
   * @param code a code of the authenticator or a backup code
   * @throws AppError `auth.credentials_invalid`, `auth.code_invalid`, `validation.failed` without a needed code,
   *   `auth.throttled`, `rate.too_many_at_once`
   */
  async checkPasswordAndCode(password: string, code: string | undefined): Promise<Account> {
    const account = await this.checkPassword(password);
    if (!account.totpEnabled) return account;
    if (code === undefined) throw invalidValue('/code', 'required', 'code is required: two-factor sign-in is on');
    if (!(await this.secondFactor.consumeCode(isTotpCode(code) ? { code } : { backupCode: code }))) {
      throw new AppError('auth.code_invalid');
    }
    return account;
  }
}

/** The secret for an authenticator, shown once. */
export interface TotpEnrolment {
  readonly secret: string;
  readonly otpauthUrl: string;
  /** SVG as a data URL. */
  readonly qrCode: string;
}

/** Turns the second factor on and off. */
@Injectable()
export class MfaService {
  constructor(
    private readonly database: Database,
    private readonly secondFactor: SecondFactorService,
    private readonly reauthentication: ReauthenticationService,
    private readonly sessions: SessionsService,
    private readonly notifications: AccountNotificationsService,
    private readonly events: SecurityEventsService,
  ) {}

  /** Returns the status and the number of unused backup codes. Session: user. */
  async getStatus(): Promise<{ totpEnabled: boolean; backupCodesLeft: number }> {
    const { isEnabled, codesLeft } = await this.secondFactor.getState();
    return { totpEnabled: isEnabled, backupCodesLeft: codesLeft };
  }

  /**
   * Creates a secret, which takes effect once it is confirmed, and replaces an unconfirmed one. Session: user.
   * @throws AppError `mfa.already_enabled`, those of `ReauthenticationService.checkPassword`
   */
  async enrol(password: string): Promise<TotpEnrolment> {
    const { userId } = currentPrincipal();
    const { email } = await this.reauthentication.checkPassword(password);
    const secret = generateTotpSecret();
    const rows = await this.database.query(ENROL_TOTP, [await this.secondFactor.encryptSecret(secret)]);
    if (rows.length === 0) throw new AppError('mfa.already_enabled');
    await this.events.record('auth.mfa_enrol', { success: true, userId });
    const url = buildOtpauthUrl(secret, email);
    const svg = await drawQrCode(url, { type: 'svg', errorCorrectionLevel: 'M' });
    return { secret, otpauthUrl: url, qrCode: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}` };
  }

  /**
   * Turns the second factor on with the first code of the authenticator, which cannot be used again. Returns the backup
   * codes, which are not shown again. Session: user. Side effects: an email to the owner.
   * @throws AppError `mfa.already_enabled`, `mfa.not_enrolled`, `auth.code_invalid`, `auth.throttled`
   */
  async confirm(code: string): Promise<string[]> {
    const { userId } = currentPrincipal();
    const { encryptedSecret, isEnabled } = await this.secondFactor.getState();
    if (isEnabled) throw new AppError('mfa.already_enabled');
    if (encryptedSecret === null) throw new AppError('mfa.not_enrolled');
    const step = await this.secondFactor.matchTotpCode(encryptedSecret, code);
    const backupCodes = generateBackupCodes();
    const values = [encryptedSecret, step, this.secondFactor.hashBackupCodes(backupCodes)];
    const isOn = step !== null && (await this.database.query(ENABLE_TOTP, values)).length === 1;
    await this.events.record('auth.mfa_enable', { success: isOn, userId });
    if (!isOn) throw new AppError('auth.code_invalid');
    await this.sessions.markMfa(userId, true);
    await this.notifications.send(userId, 'mfa-enabled');
    return backupCodes;
  }

  /**
   * Turns the second factor off. Session: user. Side effects: an email to the owner.
   * @throws AppError `mfa.not_enabled`, those of `ReauthenticationService.checkPasswordAndCode`
   */
  async disable(password: string, code: string): Promise<void> {
    const { userId } = currentPrincipal();
    await this.reauthenticate(password, code);
    await this.database.query(DISABLE_TOTP);
    await this.events.record('auth.mfa_disable', { success: true, userId });
    await this.sessions.markMfa(userId, false);
    await this.notifications.send(userId, 'mfa-disabled');
  }

  /**
   * Replaces the backup codes and returns the new ones, which are not shown again. Session: user. Side effects: an
   * email.
   * @throws AppError `mfa.not_enabled`, those of `ReauthenticationService.checkPasswordAndCode`
   */
  async replaceBackupCodes(password: string, code: string): Promise<string[]> {
    const { userId } = currentPrincipal();
    await this.reauthenticate(password, code);
    const backupCodes = generateBackupCodes();
    await this.database.query(REPLACE_BACKUP_CODES, [this.secondFactor.hashBackupCodes(backupCodes)]);
    await this.events.record('auth.mfa_backup_codes', { success: true, userId });
    await this.notifications.send(userId, 'backup-codes-replaced');
    return backupCodes;
  }

  private async reauthenticate(password: string, code: string): Promise<void> {
    const { totpEnabled } = await this.reauthentication.checkPasswordAndCode(password, code);
    if (!totpEnabled) throw new AppError('mfa.not_enabled');
  }
}
