import { Injectable } from '@nestjs/common';
import { AccountsService } from '../auth/accounts/accounts.service';
import { AccountNotificationsService } from '../auth/accounts/account-notifications.service';
import { SessionsService } from '../auth/sessions/sessions.service';
import { LoginThrottleService } from '../auth/login-throttle/login-throttle.service';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import { EncryptionService } from '../platform/encryption/encryption.service';
import { AppError } from '../platform/errors/app-error';
import type { ErasureCertificateDto } from './users.dto';
import { currentUserId } from '../platform/http/access/access';

/** One statement may delete 100,000 rows, which takes longer than the statement timeout of a request. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;

const DAY_MS = 24 * 3_600_000;

/** The result of auth.erase_account(). */
type ErasureOutcome =
  | { refused: 'last_admin' }
  | { refused?: undefined; deletedRows: Record<string, number>; auditRows: number; securityEvents: number };

/** Erases the signed-in user's account. */
@Injectable()
export class AccountErasureService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsService,
    private readonly throttle: LoginThrottleService,
    private readonly encryption: EncryptionService,
    private readonly notifications: AccountNotificationsService,
    private readonly config: Config,
  ) {}

  /**
   * Erases the account: its rows in every table and its part of both logs in one transaction, then sessions, counts and
   * the cached data key. Queues contain only run numbers. Session: user, recently re-authenticated; it ends. Side
   * effects: the event `audit.forgotten`, an email with the certificate to the former address.
   * @throws AppError `user.not_found`, `user.last_admin`, `service.unavailable`
   */
  async erase(): Promise<ErasureCertificateDto> {
    const userId = currentUserId();
    const account = await this.accounts.findAccount(userId);
    if (!account) throw new AppError('user.not_found');
    // First, so that nothing is erased while Redis cannot end sessions.
    const { length: sessionsEnded } = await this.sessions.list(userId);
    const { deletedRows, auditRows, securityEvents } = await this.eraseRows(this.throttle.hashEmail(account.email));
    await this.sessions.endAll(userId);
    await this.throttle.forgetAccount(userId, account.email);
    await this.encryption.erase(userId);
    const erasedAt = new Date();
    const backupsHoldItUntil = new Date(erasedAt.getTime() + this.config.retention.backupDays * DAY_MS);
    await this.notifications.sendErasure(account.email, { userId, erasedAt, backupsHoldItUntil });
    return {
      userId,
      erasedAt,
      deletedRows,
      auditRowsForgotten: auditRows,
      securityEventsForgotten: securityEvents,
      sessionsEnded,
      backupsHoldItUntil,
      whatStays: this.listRetainedData(),
    };
  }

  private async eraseRows(emailHash: Buffer) {
    const outcome = await this.database.transaction(async (unit) => {
      unit.setStatementTimeout(STATEMENT_TIMEOUT_MS);
      const [row] = await unit.query<{ outcome: ErasureOutcome | null }>('SELECT auth.erase_account($1) AS outcome', [
        emailHash,
      ]);
      return row?.outcome ?? null;
    });
    if (!outcome) throw new AppError('user.not_found');
    if (outcome.refused) throw new AppError('user.last_admin', { detail: 'Make another user an admin first.' });
    return outcome;
  }

  private listRetainedData(): string[] {
    const { securityLogDays } = this.config.retention;
    return [
      'audit log: that a row of this user number changed, when and in which table; the values are removed',
      `security log: that something happened to this user number and when, for ${securityLogDays} days`,
      'job statistics: counts under this user number, until their next refresh, within an hour',
      'the email about the erasure, for 24 hours where emails are stored on the server itself',
    ];
  }
}
