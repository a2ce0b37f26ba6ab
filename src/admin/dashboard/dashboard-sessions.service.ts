import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AccessTokensService } from '../../auth/access-tokens/access-tokens.service';
import { isTotpCode } from '../../auth/accounts/credential-fields';
import { SignInMfaService, SignInService } from '../../auth/sign-in.service';
import { AccountPasswordService } from '../../auth/account-password.service';
import { AccountSessionsService } from '../../auth/sessions/account-sessions.service';
import { SessionsService } from '../../auth/sessions/sessions.service';
import { Config } from '../../platform/config/config';
import { currentContext, type Principal } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import type { PageAuthenticator } from '../../platform/http/access/access';

const COOKIE_NAME = 'gigvault_admin';

/** Lifetime of a sign-in: a working day. */
const LIFETIME_SECONDS = 8 * 3_600;

/** Time without an opened page after which admins must confirm their identity. */
const IDLE_MS = 30 * 60_000;

/** The cookie is renewed at most once a minute. */
const RENEW_AFTER_MS = 60_000;

interface CookieContent {
  readonly userId: number;
  readonly sessionId: string;
  /** The end of the sign-in, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** When a page was last opened. */
  readonly lastSeenAt: number;
}

/** The result of the first step: the Set-Cookie header, or a token for the second step. */
export type SignInResult = { readonly cookie: string } | { readonly mfaToken: string };

/**
 * Sign-in to the dashboard. A browser sends no bearer token when it opens a page, so the dashboard uses a signed
 * cookie: the id of an ordinary session, its end and the time of the last page. HttpOnly hides it from scripts,
 * SameSite=Strict from other sites' forms; the API reads no cookies. Its path is the whole server, because the API's
 * documentation accepts it too. Each request looks the session up, so ending the session closes the dashboard.
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
    const secure = config.http.publicUrl.startsWith('https:') ? '; Secure' : '';
    this.cookieAttributes = `Path=/; HttpOnly; SameSite=Strict${secure}`;
  }

  /**
   * Checks email and password, the only step without a second factor. Side effects: the event `auth.login`, a session.
   * @throws AppError as SignInService.login; `auth.forbidden` for users who are not admins, after ending their session
   */
  async signIn(email: string, password: string): Promise<SignInResult> {
    const answer = await this.signInService.login(email, password);
    return 'mfaRequired' in answer
      ? { mfaToken: answer.mfaToken }
      : { cookie: await this.issueCookie(answer.accessToken) };
  }

  /**
   * Checks the code and returns the Set-Cookie header. Side effects: the event `auth.login_mfa`, a session.
   * @throws AppError as SignInMfaService.complete; `auth.forbidden` as signIn
   */
  async signInWithCode(mfaToken: string, code: string): Promise<string> {
    const codes = isTotpCode(code) ? { code } : { backupCode: code };
    const cookie = await this.issueCookie((await this.signInMfa.complete(mfaToken, codes)).accessToken);
    // The admin has just entered password and code, which counts as a step-up.
    const session = this.parseCookie(cookie.slice(COOKIE_NAME.length + 1, cookie.indexOf(';')));
    if (session) await this.accountPassword.recordStepUp(session.sessionId);
    return cookie;
  }

  /**
   * Confirms the identity of the admin for ten minutes, from this request on. Side effects: the event `auth.step_up`.
   * @throws AppError as AccountPasswordService.stepUp
   */
  async confirm(request: FastifyRequest, password: string, code: string | undefined): Promise<void> {
    await this.accountPassword.stepUp(password, code);
    currentContext()!.principal = await this.identify(request);
  }

  /**
   * Checks that the admin has opened a page within the last half hour.
   * @throws AppError `auth.step_up_required`
   */
  assertActive(request: FastifyRequest): void {
    const content = this.readCookie(request);
    if (content && Date.now() - content.lastSeenAt > IDLE_MS)
      throw new AppError('auth.step_up_required', { detail: 'No page was opened for half an hour.' });
  }

  /** Returns the Set-Cookie header that records an opened page; undefined when the cookie is less than a minute old. */
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
   * Returns the admin who sent the request.
   * @throws AppError as `identify`; `auth.mfa_enrolment_required` in production without a second factor
   */
  async authenticate(request: Pick<FastifyRequest, 'headers'>): Promise<Principal> {
    const principal = await this.identify(request);
    this.sessions.assertEnrolled(principal);
    return principal;
  }

  /**
   * Returns the admin who sent the request, also one who must set up a second factor first.
   * @throws AppError `auth.session_missing`, `auth.token_invalid`, `auth.forbidden`
   */
  async identify({ headers }: Pick<FastifyRequest, 'headers'>): Promise<Principal> {
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

  private formatCookie({ userId, sessionId, expiresAt, lastSeenAt }: CookieContent): string {
    const claims = `${userId}.${sessionId}.${expiresAt}.${lastSeenAt}`;
    const left = Math.max(0, Math.round((expiresAt - Date.now()) / 1_000));
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
    const [userId, sessionId = '', expiresAt, lastSeenAt] = claims.split('.');
    if (!(Number(expiresAt) > Date.now()) || !(Number(lastSeenAt) > 0)) return null;
    return { userId: Number(userId), sessionId, expiresAt: Number(expiresAt), lastSeenAt: Number(lastSeenAt) };
  }

  private sign(claims: string): string {
    return createHmac('sha256', this.signingKey).update(claims).digest('base64url');
  }
}

function findCookie(cookies = ''): string | undefined {
  return new RegExp(`(?:^|;\\s*)${COOKIE_NAME}=([^;]*)`).exec(cookies)?.[1];
}
