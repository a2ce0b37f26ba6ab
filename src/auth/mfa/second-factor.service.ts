import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { Database } from '../../platform/database/database';
import { EncryptionService } from '../../platform/encryption/encryption.service';
import type { SealContext } from '../../platform/encryption/seal-context';
import { currentPrincipal } from '../principal';
import { Throttle } from '../throttle.service';
import { hashBackupCode } from './backup-codes';
import { FIND, SPEND_BACKUP_CODE, SPEND_STEP } from './mfa.queries';
import { matchTotp } from './totp';

/** What a user has set up; of a user who never did, nothing. */
export interface MfaState {
  readonly sealedSecret: string | null;
  readonly isEnabled: boolean;
  readonly codesLeft: number;
}

/** A code of the authenticator or one of the backup codes. */
export type SecondFactorCode = { readonly code: string } | { readonly backupCode: string };

/** Checks the codes of the principal's second factor. */
@Injectable()
export class SecondFactor {
  private readonly logger = new Logger(SecondFactor.name);
  private readonly backupCodeKey: Buffer;

  constructor(
    private readonly database: Database,
    private readonly encryption: EncryptionService,
    private readonly throttle: Throttle,
    config: Config,
  ) {
    this.backupCodeKey = config.secrets.derive('backup-code');
  }

  /** What the principal has set up. Session: user. */
  async state(): Promise<MfaState> {
    const [row] = await this.database.query<MfaState & Record<string, unknown>>(FIND);
    return row ?? { sealedSecret: null, isEnabled: false, codesLeft: 0 };
  }

  /**
   * Whether the code is good, and spends it: no code is accepted twice. Counts on its own as a try. Session: user.
   * @throws AppError `auth.throttled`
   */
  async spend(given: SecondFactorCode): Promise<boolean> {
    const attempt = await this.throttle.reserve('code', currentPrincipal().userId);
    const isGood = 'code' in given ? await this.spendTotp(given.code) : await this.spendBackupCode(given.backupCode);
    if (isGood) await this.throttle.forgive(attempt);
    return isGood;
  }

  /**
   * The step a code is right for under a secret not yet enabled, or null; does not spend it. Counts as a try.
   * @throws AppError `auth.throttled`
   */
  async match(sealedSecret: string, code: string): Promise<number | null> {
    const attempt = await this.throttle.reserve('code', currentPrincipal().userId);
    const step = await this.stepOf(sealedSecret, code);
    if (step !== null) await this.throttle.forgive(attempt);
    return step;
  }

  /** The stored form of the principal's backup codes. */
  hashesOf(codes: readonly string[]): string[] {
    const { userId } = currentPrincipal();
    return codes.map((code) => hashBackupCode(this.backupCodeKey, userId, code));
  }

  /** The sealed form of the principal's secret. */
  seal(secret: string): Promise<string> {
    return this.encryption.seal(secret, placeOf(currentPrincipal().userId));
  }

  private async spendTotp(code: string): Promise<boolean> {
    const { sealedSecret, isEnabled } = await this.state();
    const step = isEnabled && sealedSecret !== null ? await this.stepOf(sealedSecret, code) : null;
    return step !== null && (await this.database.query(SPEND_STEP, [step])).length === 1;
  }

  private async spendBackupCode(code: string): Promise<boolean> {
    return (await this.database.query(SPEND_BACKUP_CODE, this.hashesOf([code]))).length === 1;
  }

  /** A secret that does not open, or is none, makes every code wrong. */
  private async stepOf(sealedSecret: string, code: string): Promise<number | null> {
    try {
      return matchTotp(await this.encryption.open(sealedSecret, placeOf(currentPrincipal().userId)), code);
    } catch (error) {
      this.logger.error(`the second factor of user ${currentPrincipal().userId} cannot be read: ${String(error)}`);
      return null;
    }
  }
}

/** One row a user, so the user is the row. */
function placeOf(userId: number): SealContext {
  return { table: 'user_mfa', column: 'encrypted_totp_secret', userId, sealKey: `user:${userId}` };
}
