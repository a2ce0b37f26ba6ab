import { Injectable } from '@nestjs/common';
import { AppError } from '../../platform/errors/app-error';
import { AccountsService } from '../accounts/accounts.service';
import { currentPrincipal } from '../../platform/http/access/access';
import { RefreshTokensService } from '../access-tokens/access-tokens.service';
import { SecurityEventsService } from '../security-events/security-events.service';
import type { SessionSummary } from './session-cache.service';
import { SessionsService } from './sessions.service';

/** Lists and ends the sessions of the signed-in user. */
@Injectable()
export class AccountSessionsService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly accounts: AccountsService,
    private readonly refreshTokens: RefreshTokensService,
    private readonly events: SecurityEventsService,
  ) {}

  /** Returns the user's live sessions, most recently used first. Session: user. */
  async list(): Promise<(SessionSummary & { current: boolean })[]> {
    const { userId, sessionId } = currentPrincipal();
    const sessions = await this.sessions.list(userId);
    return sessions.map((session) => ({ ...session, current: session.id === sessionId }));
  }

  /**
   * Ends one session in every process within a second. Session: user. Side effects: the event `auth.session_ended`.
   * @throws AppError `session.not_found`
   */
  async end(id: string): Promise<void> {
    const { userId } = currentPrincipal();
    if (!(await this.sessions.end(userId, id))) throw new AppError('session.not_found');
    await this.events.record('auth.session_ended', { success: true, userId, sessionId: id });
  }

  /** Ends all sessions but the current one. Session: user. Side effects: the event `auth.sessions_ended`. */
  async endOthers(): Promise<void> {
    const { userId } = currentPrincipal();
    await this.endAllButCurrent(await this.accounts.endSessions(userId));
    await this.events.record('auth.sessions_ended', { success: true, userId });
  }

  /** Ends all sessions but the current one after users.sessions_valid_from moved to `validFrom`. Session: user. */
  async endAllButCurrent(validFrom: Date | null): Promise<void> {
    const { userId, sessionId } = currentPrincipal();
    if (validFrom) await this.sessions.markVerified(sessionId, validFrom);
    await this.sessions.endAll(userId, sessionId);
  }

  /**
   * Ends the current session, and the session of a given refresh token if it belongs to the same user. Session: user.
   * Side effects: the event `auth.logout`.
   */
  async logout(refreshToken?: string): Promise<void> {
    const { userId, sessionId } = currentPrincipal();
    const other = refreshToken === undefined ? null : this.refreshTokens.verify(refreshToken);
    await this.sessions.end(userId, sessionId);
    if (other && other.sessionId !== sessionId) await this.sessions.end(userId, other.sessionId);
    await this.events.record('auth.logout', { success: true, userId, sessionId });
  }
}
