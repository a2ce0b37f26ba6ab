import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { CapabilitiesService, type MissingParts } from '../upwork/capabilities.service';
import { UpworkError } from '../upwork/upwork.error';
import { TokenRefreshService } from './token-refresh.service';
import { UpworkAccountService } from './upwork-account.service';
import { UserToken } from './user-token.entity';

const CHECK_EVERY_SECONDS = 7 * 86_400;

/** After a failure that passes. */
const RETRY_SECONDS = 3_600;

const RECORD_CHECK = `
  UPDATE user_tokens SET missing_parts = $2, capabilities_checked_at = now(), capabilities_error = NULL,
    next_capability_check_at = now() + make_interval(secs => $3)
  WHERE id = $1`;

const STORE_ORGANIZATIONS = `
  UPDATE user_tokens SET organizations = $2 WHERE id = $1 AND organizations IS DISTINCT FROM $2::jsonb`;

/** Keeps what the last successful check found. */
const RECORD_CHECK_FAILURE = `
  UPDATE user_tokens SET capabilities_error = $2, next_capability_check_at = now() + make_interval(secs => $3)
  WHERE id = $1`;

/** The result of a check. `unknown`: Upwork did not say. */
type CheckOutcome = 'complete' | 'incomplete' | 'unknown';

/** Checks what a connection can do at Upwork, and for which organizations. */
@Injectable()
export class CapabilityChecksService {
  constructor(
    private readonly database: Database,
    private readonly tokenRefresh: TokenRefreshService,
    private readonly capabilities: CapabilitiesService,
    private readonly account: UpworkAccountService,
  ) {}

  /**
   * Checks a connection and stores the result and the time of the next check. Session: user; Upwork is called outside
   * any unit of work. An audit row for each change.
   */
  async check(id: number): Promise<CheckOutcome> {
    const connection = await this.database.find(UserToken, id);
    if (!connection) return 'unknown';
    try {
      const missing = await this.read(connection);
      await this.database.query(RECORD_CHECK, [id, JSON.stringify(missing), CHECK_EVERY_SECONDS]);
      return Object.values(missing).every((parts) => parts.length === 0) ? 'complete' : 'incomplete';
    } catch (error) {
      if (!(error instanceof UpworkError || error instanceof AppError)) throw error;
      const isPermanent = error instanceof UpworkError && !error.isTransient;
      const seconds = isPermanent ? CHECK_EVERY_SECONDS : RETRY_SECONDS;
      await this.database.query(RECORD_CHECK_FAILURE, [id, error.message.slice(0, 1_000), seconds]);
      return 'unknown';
    }
  }

  /** Stores the organizations at once: introspection can be refused for good. */
  private read({ id, userId, organizationId }: UserToken): Promise<MissingParts> {
    return this.tokenRefresh.runWithAccessToken(id, async (accessToken) => {
      const caller = { userId, accessToken, organizationId, isPolling: true };
      const organizations = await this.account.listOrganizations(caller);
      await this.database.query(STORE_ORGANIZATIONS, [id, JSON.stringify(organizations)]);
      return this.capabilities.findMissing(caller);
    });
  }
}
