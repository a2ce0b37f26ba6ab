import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AccessTokensService } from '../../auth/access-tokens/access-tokens.service';
import { isTotpCode } from '../../auth/accounts/credential-fields';
import { SignInMfaService } from '../../auth/mfa/sign-in-mfa.service';
import { AccountPasswordService } from '../../auth/account-password.service';
import { AccountSessionsService } from '../../auth/sessions/account-sessions.service';
import { hasRecentStepUp } from '../../auth/sessions/session-record';
import { SessionsService } from '../../auth/sessions/sessions.service';
import { SignInService } from '../../auth/sign-in.service';
import { Config } from '../../platform/config/config';
import type { Principal } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import type { PageAuthenticator } from '../../platform/http/access/authenticator';

const COOKIE_NAME = 'gigvault_admin';

/** A sign-in lasts a working day. */
const LIFETIME_SECONDS = 8 * 3_600;

/** Without a page opened for so long, admins confirm who they are. */
const IDLE_MS = 30 * 60_000;

/** How exact that is: the cookie is renewed once a minute. */
const RENEW_AFTER_MS = 60_000;

/** What must be shown before an act. */
export interface RequiredProof {
  /** Whether a code of the second factor is needed beside the password. */
  readonly needsCode: boolean;
}

interface CookieContent {
  readonly userId: number;
  readonly sessionId: string;
  /** The end of the sign-in, and when a page was last opened. */
  readonly expiresAt: number;
  readonly lastSeenAt: number;
}

/** Where a sign-in stands: done, with the Set-Cookie header, or waiting for a code. */
export type SignInResult = { readonly cookie: string } | { readonly mfaToken: string };

/**
 * Sign-in to the dashboard. A browser sends no bearer token when it opens a page, so the dashboard has a cookie: the id
 * of an ordinary session, an end and the time of the last page, signed. HttpOnly keeps it from scripts, SameSite=Strict
 * from other sites' forms; the API reads no cookie at all. Its path is the whole server, since it opens the API's
 * documentation too. The session is looked up at each request like any other, so ending it closes the dashboard.
 */
@Injectable()
export class DashboardSessionsService implements PageAuthenticator {
  private readonly signingKey: Buffer;
  private readonly cookieAttributes: string;

  constructor(
    private readonly signInService: SignInService,
    private readonly signInMfa: SignInMfaService,
    private readonly accountSessions: AccountSessionsService,
    private readonly accountPassword: AccountPasswordService,
    private readonly sessions: SessionsService,
    private readonly tokens: AccessTokensService,
    config: Config,
  ) {
    this.signingKey = config.secrets.derive('dashboard-cookie');
    this.cookieAttributes = `Path=/; HttpOnly; SameSite=Strict${config.http.publicUrl.startsWith('https:') ? '; Secure' : ''}`;
  }

  /**
   * Takes the first step, which is the only one without a second factor. Side effects: the event `auth.login`, a session.
   * @throws AppError as SignInService.login; `auth.forbidden` for a user who is no admin, whose session is ended again
   */
  async signIn(email: string, password: string): Promise<SignInResult> {
    const answer = await this.signInService.login(email, password);
    return 'mfaRequired' in answer
      ? { mfaToken: answer.mfaToken }
      : { cookie: await this.issueCookie(answer.accessToken) };
  }

  /**
   * Takes the second step and returns the Set-Cookie header. Side effects: the event `auth.login_mfa`, a session.
   * @throws AppError as SignInMfaService.complete; `auth.forbidden` as signIn
   */
  async signInWithCode(mfaToken: string, code: string): Promise<string> {
    const codes = isTotpCode(code) ? { code } : { backupCode: code };
    const cookie = await this.issueCookie((await this.signInMfa.complete(mfaToken, codes)).accessToken);
    // Password and code were shown this very moment: that is a step-up.
    const session = this.parseCookie(cookie.slice(COOKIE_NAME.length + 1, cookie.indexOf(';')));
    if (session) await this.accountPassword.recordStepUp(session.sessionId);
    return cookie;
  }

  /**
   * Confirms the admin of the request again, for ten minutes. Side effects: the event `auth.step_up`.
   * @throws AppError as AccountPasswordService.stepUp
   */
  async confirm(password: string, code: string | undefined): Promise<void> {
    await this.accountPassword.stepUp(password, code);
  }

  /**
   * Returns what the admin must show before an act, null when nothing: who has a second factor must have confirmed within
   * the last minutes before any act, and everybody before one that needs a step-up.
   * @throws AppError `auth.token_invalid`
   */
  async findRequiredProof({ sessionId }: Principal, needsStepUp: boolean): Promise<RequiredProof | null> {
    const session = await this.sessions.findLive(sessionId);
    if (!session) throw new AppError('auth.token_invalid');
    if (hasRecentStepUp(session) || !(needsStepUp || session.hasMfa)) return null;
    return { needsCode: session.hasMfa };
  }

  /**
   * Lets requests pass whose admin has opened a page within the last half hour.
   * @throws AppError `auth.step_up_required`
   */
  assertActive(request: FastifyRequest): void {
    const content = this.readCookie(request);
    if (content && Date.now() - content.lastSeenAt > IDLE_MS)
      throw new AppError('auth.step_up_required', { detail: 'No page was opened for half an hour.' });
  }

  /** Returns the Set-Cookie header that notes that a page is opened now; undefined when the last one was a moment ago. */
  renewCookie(request: FastifyRequest, force = false): string | undefined {
    const content = this.readCookie(request);
    return content && (force || Date.now() - content.lastSeenAt > RENEW_AFTER_MS)
      ? this.formatCookie({ ...content, lastSeenAt: Date.now() })
      : undefined;
  }

  /** Ends the session of the request and returns the header that removes its cookie. */
  async signOut(): Promise<string> {
    await this.accountSessions.logout();
    return `${COOKIE_NAME}=; Max-Age=0; ${this.cookieAttributes}`;
  }

  /**
   * The admin who sends the request.
   * @throws AppError `auth.session_missing`, `auth.token_invalid`, `auth.forbidden`
   */
  async authenticate({ headers }: Pick<FastifyRequest, 'headers'>): Promise<Principal> {
    const value = findCookie(headers.cookie);
    if (!value) throw new AppError('auth.session_missing');
    const principal = await this.sessions.resolvePrincipal(this.parseCookie(value));
    if (principal.role !== 'admin')
      throw new AppError('auth.forbidden', { detail: 'The dashboard needs the role admin.' });
    return principal;
  }

  private async issueCookie(accessToken: string): Promise<string> {
    const principal = await this.sessions.resolvePrincipal(this.tokens.verify('access', accessToken));
    if (principal.role !== 'admin') {
      await this.sessions.end(principal.userId, principal.sessionId);
      throw new AppError('auth.forbidden', { detail: 'The dashboard needs the role admin.' });
    }
    const { userId, sessionId } = principal;
    const now = Date.now();
    return this.formatCookie({ userId, sessionId, expiresAt: now + LIFETIME_SECONDS * 1_000, lastSeenAt: now });
  }

  private formatCookie({ userId, sessionId, expiresAt: ends, lastSeenAt: seen }: CookieContent): string {
    const claims = `${userId}.${sessionId}.${ends}.${seen}`;
    const left = Math.max(0, Math.round((ends - Date.now()) / 1_000));
    return `${COOKIE_NAME}=${claims}.${this.sign(claims)}; Max-Age=${left}; ${this.cookieAttributes}`;
  }

  private readCookie({ headers }: FastifyRequest): CookieContent | null {
    const value = findCookie(headers.cookie);
    return value ? this.parseCookie(value) : null;
  }

  private parseCookie(value: string): CookieContent | null {
    const end = value.lastIndexOf('.');
    const claims = value.slice(0, Math.max(0, end));
    const expected = Buffer.from(this.sign(claims));
    const given = Buffer.from(value.slice(end + 1));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const [userId, sessionId = '', ends, seen] = claims.split('.');
    if (!(Number(ends) > Date.now()) || !(Number(seen) > 0)) return null;
    return { userId: Number(userId), sessionId, expiresAt: Number(ends), lastSeenAt: Number(seen) };
  }

  private sign(claims: string): string {
    return createHmac('sha256', this.signingKey).update(claims).digest('base64url');
  }
}

function findCookie(cookies = ''): string | undefined {
  return new RegExp(`(?:^|;\\s*)${COOKIE_NAME}=([^;]*)`).exec(cookies)?.[1];
}
