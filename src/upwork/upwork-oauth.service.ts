import { Injectable } from '@nestjs/common';
import * as oauth from 'openid-client';
import { z } from 'zod';
import { Config } from '../platform/config/config';
import { AppError } from '../platform/errors/app-error';
import { HEADER_TOKEN } from '../platform/http/edge/header-values';
import { hasJsonBody, readRetryAfterMs, UpworkError } from './upwork.error';

/** Tokens that Upwork grants for an authorization or a refresh. */
export interface GrantedTokens {
  readonly accessToken: string;
  /** Absent when the previous refresh token remains valid. */
  readonly refreshToken: string | undefined;
  readonly expiresAt: Date;
  readonly scopes: readonly string[] | undefined;
}

/** Authorization that waits for its user. */
export interface StartedAuthorization {
  readonly url: string;
  readonly state: string;
  /** PKCE code verifier: shows that the same client completes the authorization. Not used without PKCE. */
  readonly verifier: string;
}

/** Shorter than the lease held during the call. */
const TIMEOUT_SECONDS = 10;

/** Default lifetime by Upwork's documentation, for tokens without expires_in. */
const DEFAULT_LIFETIME_SECONDS = 86_400;

/** Upper bound of plausible lifetimes. */
const MAX_LIFETIME_SECONDS = 10 * 365 * 86_400;

const MAX_TOKEN_LENGTH = 8_000;
const MAX_SCOPE_LENGTH = 4_000;

/** @see RFC 6749 section 3.3 */
const SCOPE = /^[\x20-\x7e]*$/;

/** Errors that mean the grant is void; other errors concern this client, the moment or the network. */
const PERMANENT_ERRORS = new Set(['invalid_grant']);

/** Errors that concern this client, which only the operator can mend. */
const CLIENT_ERRORS = new Set(['invalid_client', 'unauthorized_client', 'unsupported_grant_type']);

/**
 * Runs the OAuth 2 authorization code flow against Upwork and token refreshes, with openid-client. PKCE is the default.
 * @see RFC 6749, RFC 7636
 */
@Injectable()
export class UpworkOAuthService {
  private readonly configuration: oauth.Configuration | undefined;
  private readonly redirectUrl: string;
  private readonly usesPkce: boolean;

  constructor({ upwork }: Config) {
    this.redirectUrl = upwork.redirectUrl;
    this.usesPkce = upwork.usesPkce;
    this.configuration = upwork.client && buildConfiguration(upwork.client, upwork);
  }

  /** Starts an authorization. @throws AppError `upwork.not_configured` */
  async begin(): Promise<StartedAuthorization> {
    const verifier = oauth.randomPKCECodeVerifier();
    const state = oauth.randomState();
    const url = oauth.buildAuthorizationUrl(this.getConfiguration(), {
      redirect_uri: this.redirectUrl,
      ...(this.usesPkce && {
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }),
      state,
    });
    return { url: url.href, state, verifier };
  }

  /** Exchanges the code of a callback. @throws UpworkError; AppError `upwork.not_configured` */
  async exchange(
    code: string,
    { state, verifier }: Pick<StartedAuthorization, 'state' | 'verifier'>,
  ): Promise<GrantedTokens> {
    const callback = new URL(this.redirectUrl);
    callback.search = new URLSearchParams({ code, state }).toString();
    const checks = { ...(this.usesPkce && { pkceCodeVerifier: verifier }), expectedState: state };
    return parseTokens(
      await rethrowAsUpworkError(oauth.authorizationCodeGrant(this.getConfiguration(), callback, checks)),
    );
  }

  /** Exchanges a refresh token; it is void afterwards when the answer contains a new one. @throws as `exchange` */
  async refresh(refreshToken: string): Promise<GrantedTokens> {
    return parseTokens(await rethrowAsUpworkError(oauth.refreshTokenGrant(this.getConfiguration(), refreshToken)));
  }

  private getConfiguration(): oauth.Configuration {
    if (!this.configuration) throw new AppError('upwork.not_configured');
    return this.configuration;
  }
}

function buildConfiguration(
  client: { readonly id: string; readonly secret: string },
  { authorizeUrl, tokenUrl }: Config['upwork'],
): oauth.Configuration {
  const server = { issuer: new URL(tokenUrl).origin, authorization_endpoint: authorizeUrl, token_endpoint: tokenUrl };
  const configuration = new oauth.Configuration(server, client.id, undefined, oauth.ClientSecretPost(client.secret));
  configuration.timeout = TIMEOUT_SECONDS;
  configuration[oauth.customFetch] = fetchOrThrow;
  // Operators set http: only for test servers, such as the fake Upwork; the default addresses are https:.
  if (tokenUrl.startsWith('http:')) oauth.allowInsecureRequests(configuration);
  return configuration;
}

/** Throws for 429, 5xx and 403 in HTML, which is from a proxy: they say nothing about the grant. */
async function fetchOrThrow(...[url, options]: Parameters<oauth.CustomFetch>): Promise<Response> {
  const response = await fetch(url, options as RequestInit);
  const isFromProxy = response.status === 403 && !hasJsonBody(response.headers);
  if (response.status !== 429 && response.status < 500 && !isFromProxy) return response;
  await response.body?.cancel();
  const kind = response.status === 429 ? 'limited' : 'unavailable';
  throw new UpworkError(kind, `Upwork answered ${response.status}`, {
    retryAfterMs: readRetryAfterMs(response.headers),
  });
}

async function rethrowAsUpworkError<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toUpworkError(error);
  }
}

/**
 * Maps errors of the library. It wraps what `fetchOrThrow` threw; its own messages quote answers, which may contain
 * tokens, so only codes are kept.
 */
function toUpworkError(error: unknown): Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof UpworkError || cause instanceof AppError) return cause;
  }
  if (error instanceof oauth.ResponseBodyError) {
    const code = error.error.replace(/[^\w.-]/g, '').slice(0, 100);
    const kind = PERMANENT_ERRORS.has(code) ? 'refused' : 'unusable';
    return new UpworkError(kind, `Upwork refused: ${code}`, { isGrantRefused: !CLIENT_ERRORS.has(code) });
  }
  if (error instanceof oauth.ClientError && error.code !== 'OAUTH_TIMEOUT' && error.code !== undefined) {
    return new UpworkError('unusable', `Upwork's answer cannot be used: ${error.code}`);
  }
  return new UpworkError('unavailable', 'Upwork could not be reached');
}

/** Token response. The access token must fit a header; an invalid lifetime counts as missing. */
const tokensSchema = z.object({
  access_token: z.string().max(MAX_TOKEN_LENGTH).regex(HEADER_TOKEN),
  refresh_token: z.string().min(1).max(MAX_TOKEN_LENGTH).optional(),
  expires_in: z.number().positive().max(MAX_LIFETIME_SECONDS).catch(DEFAULT_LIFETIME_SECONDS),
  scope: z.string().regex(SCOPE).max(MAX_SCOPE_LENGTH).optional().catch(undefined),
});

function parseTokens(answer: oauth.TokenEndpointResponse): GrantedTokens {
  const parsed = tokensSchema.safeParse(answer);
  if (!parsed.success) {
    throw new UpworkError(
      'unusable',
      `Upwork's answer has an unexpected shape at ${parsed.error.issues[0]?.path.join('.')}`,
    );
  }
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetimeSeconds, scope } = parsed.data;
  return {
    accessToken,
    refreshToken,
    expiresAt: new Date(Date.now() + lifetimeSeconds * 1_000),
    scopes: scope?.split(/[ ,]+/).filter((name) => name !== ''),
  };
}
