import { Injectable } from '@nestjs/common';
import { toString as drawQrCode } from 'qrcode';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import { Notices } from '../notices.service';
import { OwnerCheck } from '../owner-check.service';
import { currentPrincipal } from '../principal';
import { SecurityEvents } from '../security-events.service';
import { SessionsService } from '../sessions.service';
import { newBackupCodes } from './backup-codes';
import { DISABLE, ENABLE, ENROL, REPLACE_BACKUP_CODES } from './mfa.queries';
import { SecondFactor } from './second-factor.service';
import { newTotpSecret, otpauthUrl } from './totp';

/** What an authenticator needs, shown once. */
export interface TotpEnrolment {
  readonly secret: string;
  readonly otpauthUrl: string;
  /** SVG as a data URL. */
  readonly qrCode: string;
}

/** Turning the second factor on and off. */
@Injectable()
export class MfaService {
  constructor(
    private readonly database: Database,
    private readonly secondFactor: SecondFactor,
    private readonly owner: OwnerCheck,
    private readonly sessions: SessionsService,
    private readonly notices: Notices,
    private readonly events: SecurityEvents,
  ) {}

  /** Whether it is on, and how many backup codes are left. Session: user. */
  async status(): Promise<{ totpEnabled: boolean; backupCodesLeft: number }> {
    const { isEnabled, codesLeft } = await this.secondFactor.state();
    return { totpEnabled: isEnabled, backupCodesLeft: codesLeft };
  }

  /**
   * Makes a new secret, which counts once it is confirmed; an unconfirmed one before it is dead. Session: user.
   * @throws AppError `mfa.already_enabled`, those of `OwnerCheck.password`
   */
  async enrol(password: string): Promise<TotpEnrolment> {
    const { userId } = currentPrincipal();
    const { email } = await this.owner.password(password);
    const secret = newTotpSecret();
    const rows = await this.database.query(ENROL, [await this.secondFactor.seal(secret)]);
    if (rows.length === 0) throw new AppError('mfa.already_enabled');
    await this.events.record('auth.mfa_enrol', { success: true, userId });
    const url = otpauthUrl(secret, email);
    const svg = await drawQrCode(url, { type: 'svg', errorCorrectionLevel: 'M' });
    return { secret, otpauthUrl: url, qrCode: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}` };
  }

  /**
   * Turns the second factor on with the first code of the authenticator, which is spent by that, and returns the backup
   * codes, this once. Session: user. Side effects: a letter to the owner.
   * @throws AppError `mfa.already_enabled`, `mfa.not_enrolled`, `auth.code_invalid`, `auth.throttled`
   */
  async confirm(code: string): Promise<string[]> {
    const { userId } = currentPrincipal();
    const { sealedSecret, isEnabled } = await this.secondFactor.state();
    if (isEnabled) throw new AppError('mfa.already_enabled');
    if (sealedSecret === null) throw new AppError('mfa.not_enrolled');
    const step = await this.secondFactor.match(sealedSecret, code);
    const backupCodes = newBackupCodes();
    const values = [sealedSecret, step, this.secondFactor.hashesOf(backupCodes)];
    const isOn = step !== null && (await this.database.query(ENABLE, values)).length === 1;
    await this.events.record('auth.mfa_enable', { success: isOn, userId });
    if (!isOn) throw new AppError('auth.code_invalid');
    await this.sessions.markMfa(userId, true);
    await this.notices.send(userId, 'mfa-enabled');
    return backupCodes;
  }

  /**
   * Turns the second factor off. Session: user. Side effects: a letter to the owner.
   * @throws AppError `mfa.not_enabled`, those of `OwnerCheck.passwordAndCode`
   */
  async disable(password: string, code: string): Promise<void> {
    const { userId } = currentPrincipal();
    await this.confirmOwner(password, code);
    await this.database.query(DISABLE);
    await this.events.record('auth.mfa_disable', { success: true, userId });
    await this.sessions.markMfa(userId, false);
    await this.notices.send(userId, 'mfa-disabled');
  }

  /**
   * Makes new backup codes and returns them, this once; the old ones are dead. Session: user. Side effects: a letter.
   * @throws AppError `mfa.not_enabled`, those of `OwnerCheck.passwordAndCode`
   */
  async replaceBackupCodes(password: string, code: string): Promise<string[]> {
    const { userId } = currentPrincipal();
    await this.confirmOwner(password, code);
    const backupCodes = newBackupCodes();
    await this.database.query(REPLACE_BACKUP_CODES, [this.secondFactor.hashesOf(backupCodes)]);
    await this.events.record('auth.mfa_backup_codes', { success: true, userId });
    await this.notices.send(userId, 'backup-codes-replaced');
    return backupCodes;
  }

  private async confirmOwner(password: string, code: string): Promise<void> {
    const { totpEnabled } = await this.owner.passwordAndCode(password, code);
    if (!totpEnabled) throw new AppError('mfa.not_enabled');
  }
}
