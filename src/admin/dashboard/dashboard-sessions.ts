import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AccessTokens } from '../../auth/access-tokens.service';
import { isTotpCode } from '../../auth/mfa/totp-code-field';
import { SignInMfaService } from '../../auth/mfa/sign-in-mfa.service';
import { OwnPassword } from '../../auth/own-password.service';
import { OwnSessions } from '../../auth/own-sessions.service';
import { SessionsService } from '../../auth/sessions.service';
import { SignInService } from '../../auth/sign-in.service';
import { Config } from '../../platform/config/config';
import type { Principal } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import type { PageAuthenticator } from '../../platform/http/authenticator';

const COOKIE = 'gigvault_admin';

/** Whoever leaves his desk for the day signs in again the next. */
const LIFETIME_SECONDS = 8 * 3_600;

/** Where a sign-in stands: done, with the Set-Cookie header, or waiting for a code. */
export type SignInStep = { readonly cookie: string } | { readonly mfaToken: string };

/**
 * Sign-in to the dashboard. A browser sends no bearer token when it opens a page, so the dashboard has a cookie: the id
 * of an ordinary session and an end, signed. HttpOnly keeps it from scripts, SameSite=Strict from other sites' forms,
 * the API reads no cookie at all. Its path is the whole server, since it
 * opens the API's documentation too. The session is looked up at each request like any other, so ending it closes the dashboard.
 */
@Injectable()
export class DashboardSessions implements PageAuthenticator {
  private readonly key: Buffer;
  private readonly attributes: string;

  constructor(
    private readonly signIns: SignInService,
    private readonly secondSteps: SignInMfaService,
    private readonly ownSessions: OwnSessions,
    private readonly passwords: OwnPassword,
    private readonly sessions: SessionsService,
    private readonly tokens: AccessTokens,
    config: Config,
  ) {
    this.key = config.secrets.derive('dashboard-cookie');
    this.attributes = `Path=/; HttpOnly; SameSite=Strict${config.http.publicUrl.startsWith('https:') ? '; Secure' : ''}`;
  }

  /**
   * Takes the first step, which is the only one without a second factor. Side effects: the event `auth.login`, a session.
   * @throws AppError as SignInService.login; `auth.forbidden` for a user who is no admin, whose session is ended again
   */
  async signIn(email: string, password: string): Promise<SignInStep> {
    const answer = await this.signIns.login(email, password);
    return 'mfaRequired' in answer ? { mfaToken: answer.mfaToken } : { cookie: await this.cookieFor(answer.accessToken) };
  }

  /**
   * Takes the second step and returns the Set-Cookie header. Side effects: the event `auth.login_mfa`, a session.
   * @throws AppError as SignInMfaService.complete; `auth.forbidden` as signIn
   */
  async signInWithCode(mfaToken: string, code: string): Promise<string> {
    const codes = isTotpCode(code) ? { code } : { backupCode: code };
    const cookie = await this.cookieFor((await this.secondSteps.complete(mfaToken, codes)).accessToken);
    // Password and code were shown this very moment: that is a step-up.
    const session = this.read(cookie.slice(COOKIE.length + 1, cookie.indexOf(';')));
    if (session) await this.passwords.keepFresh(session.sessionId);
    return cookie;
  }

  /**
   * Confirms the admin of the request again, for ten minutes. Side effects: the event `auth.step_up`.
   * @throws AppError as OwnPassword.stepUp
   */
  async confirm(password: string, code: string): Promise<void> {
    await this.passwords.stepUp(password, code);
  }

  /**
   * Lets the admin of the request pass as the guard of the API does: with a second factor he must have shown it lately.
   * @throws AppError `auth.step_up_required`
   */
  assertFresh(principal: Principal): Promise<void> {
    return this.sessions.assertAdmin(principal);
  }

  /** Ends the session of the request and returns the header that removes its cookie. */
  async signOut(): Promise<string> {
    await this.ownSessions.logout();
    return `${COOKIE}=; Max-Age=0; ${this.attributes}`;
  }

  /**
   * The admin who sends the request.
   * @throws AppError `auth.session_missing`, `auth.token_invalid`, `auth.forbidden`
   */
  async authenticate({ headers }: FastifyRequest): Promise<Principal> {
    const [, value] = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]*)`).exec(headers.cookie ?? '') ?? [];
    if (!value) throw new AppError('auth.session_missing');
    const principal = await this.sessions.principalOf(this.read(value));
    if (principal.role !== 'admin') throw new AppError('auth.forbidden', { detail: 'The dashboard needs the role admin.' });
    return principal;
  }

  private async cookieFor(accessToken: string): Promise<string> {
    const principal = await this.sessions.principalOf(this.tokens.read('access', accessToken));
    if (principal.role !== 'admin') {
      await this.sessions.end(principal.userId, principal.sessionId);
      throw new AppError('auth.forbidden', { detail: 'The dashboard needs the role admin.' });
    }
    const ends = Date.now() + LIFETIME_SECONDS * 1_000;
    const claims = `${principal.userId}.${principal.sessionId}.${ends}`;
    return `${COOKIE}=${claims}.${this.signatureOf(claims)}; Max-Age=${LIFETIME_SECONDS}; ${this.attributes}`;
  }

  private read(value: string): { userId: number; sessionId: string } | null {
    const end = value.lastIndexOf('.');
    const claims = value.slice(0, Math.max(0, end));
    const expected = Buffer.from(this.signatureOf(claims));
    const given = Buffer.from(value.slice(end + 1));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const [userId, sessionId = '', ends] = claims.split('.');
    return Number(ends) > Date.now() ? { userId: Number(userId), sessionId } : null;
  }

  private signatureOf(claims: string): string {
    return createHmac('sha256', this.key).update(claims).digest('base64url');
  }
}
