import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { currentContext } from '../../platform/context/request-context';
import { SystemDatabase } from '../../platform/database/system-database';
import { emailHash } from '../../platform/mail/email';

/** The events that authentication records. */
export type SecurityEventType =
  | 'auth.register'
  | 'auth.verify_email'
  | 'auth.verify_email_resend'
  | 'auth.login'
  | 'auth.refresh'
  | 'auth.refresh_reused'
  | 'auth.logout'
  | 'auth.session_ended'
  | 'auth.sessions_ended'
  | 'auth.password_change'
  | 'auth.password_forgot'
  | 'auth.password_reset'
  | 'auth.step_up'
  | 'auth.login_mfa'
  | 'auth.mfa_enrol'
  | 'auth.mfa_enable'
  | 'auth.mfa_disable'
  | 'auth.mfa_backup_codes'
  | 'auth.first_admin'
  | 'user.export';

/** The data of an event besides its request. */
export interface SecurityEventDetails {
  readonly success: boolean;
  readonly userId?: number | null;
  /** The attempted address; stored as a keyed hash. */
  readonly email?: string;
  readonly reason?: string;
  readonly sessionId?: string;
}

/** Writes security_logs: user, event, address and outcome. */
@Injectable()
export class SecurityEventsService {
  private readonly emailKey: Buffer;

  constructor(
    private readonly database: SystemDatabase,
    config: Config,
  ) {
    this.emailKey = config.secrets.derive('email-hash');
  }

  /** Records one event in its own transaction; address and user agent come from the request. */
  async record(
    type: SecurityEventType,
    { success, userId, email, reason, sessionId }: SecurityEventDetails,
  ): Promise<void> {
    const context = currentContext();
    const details = {
      ...(reason !== undefined && { reason }),
      ...(sessionId !== undefined && { sessionId }),
      ...(email !== undefined && { emailHash: emailHash(this.emailKey, email).toString('hex') }),
      ...(context && { requestId: context.requestId }),
    };
    await this.database.asAuth((unit) =>
      unit.query(`SELECT auth.log_event($1, $2, $3, $4, $5, $6)`, [
        type,
        userId ?? null,
        success,
        context?.ip ?? null,
        context?.userAgent ?? null,
        JSON.stringify(details),
      ]),
    );
  }
}
