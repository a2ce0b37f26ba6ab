import { createHash, randomBytes } from 'node:crypto';

/** Response of the token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Code {
  /** Null without PKCE. */
  readonly challenge: string | null;
  readonly redirectUri: string;
  readonly user: string;
}

/**
 * OAuth 2 of the fake Upwork. A code can be used once, and needs its verifier if it was requested with PKCE. Every
 * refresh returns a new pair and revokes the previous refresh token. Access tokens are valid until they expire.
 */
export class FakeGrants {
  /** Number of successful refreshes. */
  refreshes = 0;
  /** Number of refused refreshes, such as the second of two parallel ones. */
  refusals = 0;
  accessTokenSeconds = 86_400;
  /** Scopes that answers name. Upwork's name none: permissions belong to the API key. */
  scope: string | undefined;
  private readonly codes = new Map<string, Code>();
  private readonly refreshTokens = new Map<string, string>();
  private readonly accessTokens = new Map<string, { user: string; until: number }>();

  constructor(
    readonly clientId: string,
    public clientSecret: string,
  ) {}

  /** Returns the URL to which the consent page redirects the user after consent. */
  consent(query: URLSearchParams, user = 'freelancer'): string {
    if (query.get('client_id') !== this.clientId) throw new Error('unknown client_id');
    const code = randomBytes(16).toString('base64url');
    const redirectUri = query.get('redirect_uri') ?? '';
    this.codes.set(code, { challenge: query.get('code_challenge'), redirectUri, user });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state') ?? '');
    return back.href;
  }

  /** Answers a request to the token endpoint. @see RFC 6749 section 5 */
  respond(form: URLSearchParams): TokenAnswer {
    if (form.get('client_id') !== this.clientId || form.get('client_secret') !== this.clientSecret) {
      return { status: 401, body: { error: 'invalid_client' } };
    }
    const grant = form.get('grant_type');
    if (grant === 'authorization_code') return this.exchangeCode(form);
    if (grant === 'refresh_token') return this.refresh(form.get('refresh_token') ?? '');
    return { status: 400, body: { error: 'unsupported_grant_type' } };
  }

  /** Issues a pair of tokens without an authorization. */
  issueTokens(user = 'freelancer'): { accessToken: string; refreshToken: string } {
    const accessToken = `oauth2v2_${randomBytes(24).toString('hex')}`;
    const refreshToken = `oauth2v2_${randomBytes(24).toString('hex')}`;
    this.accessTokens.set(accessToken, { user, until: Date.now() + this.accessTokenSeconds * 1_000 });
    this.refreshTokens.set(refreshToken, user);
    return { accessToken, refreshToken };
  }

  /** Returns the user of an access token; undefined when it is not valid. */
  findUser(accessToken: string): string | undefined {
    const found = this.accessTokens.get(accessToken);
    return found && found.until > Date.now() ? found.user : undefined;
  }

  /** Revokes all access tokens. */
  expireAll(): void {
    this.accessTokens.clear();
  }

  /** Revokes all tokens, like a user who removes the application. */
  revokeAll(): void {
    this.refreshTokens.clear();
    this.accessTokens.clear();
  }

  private exchangeCode(form: URLSearchParams): TokenAnswer {
    const code = this.codes.get(form.get('code') ?? '');
    this.codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isVerified = code?.challenge === null || code?.challenge === challenge;
    if (!code || !isVerified || code.redirectUri !== form.get('redirect_uri')) {
      return { status: 400, body: { error: 'invalid_grant' } };
    }
    return this.respondWithTokens(code.user);
  }

  private refresh(refreshToken: string): TokenAnswer {
    const user = this.refreshTokens.get(refreshToken);
    if (user === undefined) {
      this.refusals += 1;
      return { status: 400, body: { error: 'invalid_grant' } };
    }
    this.refreshTokens.delete(refreshToken);
    this.refreshes += 1;
    return this.respondWithTokens(user);
  }

  private respondWithTokens(user: string): TokenAnswer {
    const { accessToken, refreshToken } = this.issueTokens(user);
    const body = {
      access_token: accessToken,
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: this.accessTokenSeconds,
      ...(this.scope !== undefined && { scope: this.scope }),
    };
    return { status: 200, body };
  }
}
