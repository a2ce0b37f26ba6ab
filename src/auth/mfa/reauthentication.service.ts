import { Injectable } from '@nestjs/common';
import { AppError, invalidValue } from '../../platform/errors/app-error';
import { AccountsService, type Account } from '../accounts/accounts.service';
import { SecondFactorService } from './second-factor.service';
import { isTotpCode } from '../accounts/credential-fields';
import { PasswordsService } from '../passwords/passwords.service';
import { currentPrincipal } from '../../platform/http/access/access';
import { LoginThrottleService } from '../login-throttle/login-throttle.service';

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
    const attempt = await this.throttle.recordAttempt('password', userId);
    const account = await this.accounts.findAccount(userId);
    const isRight = await this.passwords
      .verify(password, account?.encryptedPassword, account?.email)
      .catch(async (error: unknown) => {
        // The password was not checked, so the attempt did not fail.
        await this.throttle.clearAttempt(attempt);
        throw error;
      });
    if (!isRight || !account) {
      throw new AppError('auth.credentials_invalid', { detail: 'The password is wrong. Send your current password.' });
    }
    await this.throttle.clearAttempt(attempt);
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
