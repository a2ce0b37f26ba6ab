import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AccessTokens } from '../../auth/access-tokens.service';
import { isTotpCode } from '../../auth/mfa/totp-code-field';
import { SignInMfaService } from '../../auth/mfa/sign-in-mfa.service';
import { OwnPassword } from '../../auth/own-password.service';
import { OwnSessions } from '../../auth/own-sessions.service';
import { isFresh } from '../../auth/session-record';
import { SessionsService } from '../../auth/sessions.service';
import { SignInService } from '../../auth/sign-in.service';
import { Config } from '../../platform/config/config';
import type { Principal } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import type { PageAuthenticator } from '../../platform/http/authenticator';

const COOKIE = 'gigvault_admin';

/** A sign-in lasts a working day. */
const LIFETIME_SECONDS = 8 * 3_600;

/** Without a page opened for so long, admins confirm who they are. */
const IDLE_MS = 30 * 60_000;

/** How exact that is: the cookie is renewed once a minute. */
const RENEW_AFTER_MS = 60_000;

/** What must be shown before an act. */
export interface NeededProof {
  /** Whether a code of the second factor is needed beside the password. */
  readonly code: boolean;
}

interface CookieContent {
  readonly userId: number;
  readonly sessionId: string;
  /** The end of the sign-in, and when a page was last opened. */
  readonly ends: number;
  readonly seen: number;
}

/** Where a sign-in stands: done, with the Set-Cookie header, or waiting for a code. */
export type SignInStep = { readonly cookie: string } | { readonly mfaToken: string };

/**
 * Sign-in to the dashboard. A browser sends no bearer token when it opens a page, so the dashboard has a cookie: the id
 * of an ordinary session, an end and the time of the last page, signed. HttpOnly keeps it from scripts, SameSite=Strict
 * from other sites' forms; the API reads no cookie at all. Its path is the whole server, since it opens the API's
 * documentation too. The session is looked up at each request like any other, so ending it closes the dashboard.
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
    return 'mfaRequired' in answer
      ? { mfaToken: answer.mfaToken }
      : { cookie: await this.cookieFor(answer.accessToken) };
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
  async confirm(password: string, code: string | undefined): Promise<void> {
    await this.passwords.stepUp(password, code);
  }

  /**
   * Returns what the admin must show before an act, null when nothing: who has a second factor must have confirmed within
   * the last minutes before any act, and everybody before one that needs a step-up.
   * @throws AppError `auth.token_invalid`
   */
  async proofFor({ sessionId }: Principal, needsStepUp: boolean): Promise<NeededProof | null> {
    const session = await this.sessions.live(sessionId);
    if (!session) throw new AppError('auth.token_invalid');
    if (isFresh(session) || !(needsStepUp || session.hasMfa)) return null;
    return { code: session.hasMfa };
  }

  /**
   * Lets requests pass whose admin has opened a page within the last half hour.
   * @throws AppError `auth.step_up_required`
   */
  assertActive(request: FastifyRequest): void {
    const content = this.contentOf(request);
    if (content && Date.now() - content.seen > IDLE_MS)
      throw new AppError('auth.step_up_required', { detail: 'No page was opened for half an hour.' });
  }

  /** Returns the Set-Cookie header that notes that a page is opened now; undefined when the last one was a moment ago. */
  renewal(request: FastifyRequest, force = false): string | undefined {
    const content = this.contentOf(request);
    return content && (force || Date.now() - content.seen > RENEW_AFTER_MS)
      ? this.headerOf({ ...content, seen: Date.now() })
      : undefined;
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
  async authenticate({ headers }: Pick<FastifyRequest, 'headers'>): Promise<Principal> {
    const value = valueOf(headers.cookie);
    if (!value) throw new AppError('auth.session_missing');
    const principal = await this.sessions.principalOf(this.read(value));
    if (principal.role !== 'admin')
      throw new AppError('auth.forbidden', { detail: 'The dashboard needs the role admin.' });
    return principal;
  }

  private async cookieFor(accessToken: string): Promise<string> {
    const principal = await this.sessions.principalOf(this.tokens.read('access', accessToken));
    if (principal.role !== 'admin') {
      await this.sessions.end(principal.userId, principal.sessionId);
      throw new AppError('auth.forbidden', { detail: 'The dashboard needs the role admin.' });
    }
    const { userId, sessionId } = principal;
    const now = Date.now();
    return this.headerOf({ userId, sessionId, ends: now + LIFETIME_SECONDS * 1_000, seen: now });
  }

  private headerOf({ userId, sessionId, ends, seen }: CookieContent): string {
    const claims = `${userId}.${sessionId}.${ends}.${seen}`;
    const left = Math.max(0, Math.round((ends - Date.now()) / 1_000));
    return `${COOKIE}=${claims}.${this.signatureOf(claims)}; Max-Age=${left}; ${this.attributes}`;
  }

  private contentOf({ headers }: FastifyRequest): CookieContent | null {
    const value = valueOf(headers.cookie);
    return value ? this.read(value) : null;
  }

  private read(value: string): CookieContent | null {
    const end = value.lastIndexOf('.');
    const claims = value.slice(0, Math.max(0, end));
    const expected = Buffer.from(this.signatureOf(claims));
    const given = Buffer.from(value.slice(end + 1));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const [userId, sessionId = '', ends, seen] = claims.split('.');
    if (!(Number(ends) > Date.now()) || !(Number(seen) > 0)) return null;
    return { userId: Number(userId), sessionId, ends: Number(ends), seen: Number(seen) };
  }

  private signatureOf(claims: string): string {
    return createHmac('sha256', this.key).update(claims).digest('base64url');
  }
}

function valueOf(cookies = ''): string | undefined {
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]*)`).exec(cookies)?.[1];
}
