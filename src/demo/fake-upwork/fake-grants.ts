import { createHash, randomBytes } from 'node:crypto';

/** Answer of the token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly user: string;
}

const SCOPE = 'pub-marketplace-job-postings:read pub-messages:read pub-messages:write';

/**
 * OAuth 2 of the fake Upwork: codes are good once and want their PKCE verifier; every refresh gives a new pair and voids
 * the refresh token before, and an access token is good until it expires or its pair was refreshed.
 */
export class FakeGrants {
  /** Refreshes that were answered with a pair. */
  refreshes = 0;
  /** Refreshes that were refused, as the second of two parallel ones is. */
  refusals = 0;
  accessTokenSeconds = 86_400;
  private readonly codes = new Map<string, Code>();
  private readonly refreshTokens = new Map<string, string>();
  private readonly accessTokens = new Map<string, { user: string; until: number }>();

  constructor(
    readonly clientId: string,
    public clientSecret: string,
  ) {}

  /** What the consent page does when the user says yes: the URL he is sent back to. */
  consent(query: URLSearchParams, user = 'freelancer'): string {
    if (query.get('client_id') !== this.clientId) throw new Error('unknown client_id');
    if (query.get('code_challenge_method') !== 'S256') throw new Error('PKCE with S256 is required');
    const code = randomBytes(16).toString('base64url');
    const redirectUri = query.get('redirect_uri') ?? '';
    this.codes.set(code, { challenge: query.get('code_challenge') ?? '', redirectUri, user });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state') ?? '');
    return back.href;
  }

  /** The token endpoint. @see RFC 6749 section 5 */
  respond(form: URLSearchParams): TokenAnswer {
    if (form.get('client_id') !== this.clientId || form.get('client_secret') !== this.clientSecret) {
      return { status: 401, body: { error: 'invalid_client' } };
    }
    const grant = form.get('grant_type');
    if (grant === 'authorization_code') return this.exchangeCode(form);
    if (grant === 'refresh_token') return this.refresh(form.get('refresh_token') ?? '');
    return { status: 400, body: { error: 'unsupported_grant_type' } };
  }

  /** A pair as if an authorization had just ended. */
  issueTokens(user = 'freelancer'): { accessToken: string; refreshToken: string } {
    const accessToken = `oauth2v2_${randomBytes(24).toString('hex')}`;
    const refreshToken = `oauth2v2_${randomBytes(24).toString('hex')}`;
    this.accessTokens.set(accessToken, { user, until: Date.now() + this.accessTokenSeconds * 1_000 });
    this.refreshTokens.set(refreshToken, user);
    return { accessToken, refreshToken };
  }

  /** Whose access token it is; undefined when it is not good. */
  findUser(accessToken: string): string | undefined {
    const found = this.accessTokens.get(accessToken);
    return found && found.until > Date.now() ? found.user : undefined;
  }

  /** Voids the access tokens and nothing else. */
  expireAll(): void {
    this.accessTokens.clear();
  }

  /** Voids every refresh token, as a user does who removes the application. */
  revokeAll(): void {
    this.refreshTokens.clear();
    this.accessTokens.clear();
  }

  private exchangeCode(form: URLSearchParams): TokenAnswer {
    const code = this.codes.get(form.get('code') ?? '');
    this.codes.delete(form.get('code') ?? '');
    const proof = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!code || code.challenge !== proof || code.redirectUri !== form.get('redirect_uri')) {
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
      token_type: 'bearer',
      expires_in: this.accessTokenSeconds,
      scope: SCOPE,
    };
    return { status: 200, body };
  }
}
