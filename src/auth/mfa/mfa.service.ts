import { Injectable } from '@nestjs/common';
import { toString as drawQrCode } from 'qrcode';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import { AccountNotificationsService } from '../accounts/account-notifications.service';
import { ReauthenticationService } from './reauthentication.service';
import { currentPrincipal } from '../../platform/http/access/access';
import { SecurityEventsService } from '../security-events/security-events.service';
import { SessionsService } from '../sessions/sessions.service';
import { generateBackupCodes, SecondFactorService } from './second-factor.service';
import { DISABLE_TOTP, ENABLE_TOTP, ENROL_TOTP, REPLACE_BACKUP_CODES } from './mfa.queries';
import { generateTotpSecret, buildOtpauthUrl } from './totp';

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
