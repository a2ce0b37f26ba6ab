import { createHash, createSecretKey, randomUUID, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Config } from '../../platform/config/config';
import type { IncomingHttpHeaders } from 'node:http';

/** About 8 MB of tokens; past it the oldest is verified anew at its next use. */
const MAX_ENTRIES = 10_000;

interface CacheEntry {
  readonly subject: TokenSubject;
  /** In seconds since 1970, as the token says it. */
  readonly expiresAt: number;
}

/**
 * Remembers access tokens whose signature and claims were found good, until they expire: a caller sends the same one for
 * a quarter of an hour, and its signature does not change. That its session lives is asked with every request.
 */
export class AccessTokenCache {
  private readonly entries = new Map<string, CacheEntry>();

  constructor(private readonly now: () => number = Date.now) {}

  /** The subject of a token that was found good and has not expired. */
  get(token: string): TokenSubject | undefined {
    const entry = this.entries.get(token);
    if (!entry) return undefined;
    if (Math.floor(this.now() / 1000) < entry.expiresAt) return entry.subject;
    this.entries.delete(token);
    return undefined;
  }

  /** Notes a token that was found good. */
  set(token: string, subject: TokenSubject, expiresAt: number): void {
    if (this.entries.size >= MAX_ENTRIES) this.evictOldest();
    this.entries.set(token, { subject, expiresAt });
  }

  /** A Map keeps the order of insertion, so the first key is the oldest. */
  private evictOldest(): void {
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}

const ALGORITHM = 'HS256';
const ISSUER = 'gigvault';

/** What a signed token may be used for: each has an audience and a type of its own, so that none passes for another. */
const TOKEN_KINDS = {
  access: { audience: 'gigvault:access', type: 'at+jwt' },
  mfa: { audience: 'gigvault:mfa', type: 'mfa+jwt' },
} as const;

/** How far the clocks of two API processes may differ: a token is good this long before it was made. */
const CLOCK_SKEW_SECONDS = 30;

/** The use of a token. */
export type TokenKind = keyof typeof TOKEN_KINDS;

/** Who a token speaks for. */
export interface TokenSubject {
  readonly userId: number;
  /** The session; for a pending second factor the id of that sign-in. */
  readonly sessionId: string;
}

/** How tokens of one kind are checked, in the words of jsonwebtoken. */
export interface TokenVerifyOptions {
  readonly complete: true;
  readonly algorithms: [typeof ALGORITHM];
  readonly audience: string;
  readonly issuer: string;
}

/** A token whose signature and times hold. */
export interface DecodedToken {
  readonly header: { readonly typ?: string; readonly kid?: string };
  readonly payload: { readonly sub?: unknown; readonly sid?: unknown; readonly exp?: unknown };
}

/**
 * Signs and reads the JWTs of sign-in: HS256 under a derived key, never the algorithm the token asks for. A KeyObject,
 * not a string: with a string secret jsonwebtoken first tries it as a public key, 400 µs a check on Node 20.
 * @see RFC 8725 (JWT best practice), RFC 9068 (typ at+jwt)
 */
@Injectable()
export class AccessTokensService {
  readonly key: KeyObject;
  readonly lifetimeSeconds: number;
  private readonly keyId: string;
  private readonly jwt: JwtService;
  private readonly cache = new AccessTokenCache();

  constructor(config: Config) {
    const secret = config.secrets.derive('access-token');
    this.key = createSecretKey(secret);
    // Tells keys apart without telling anything of them.
    this.keyId = createHash('sha256').update('key id').update(secret).digest('base64url').slice(0, 8);
    this.lifetimeSeconds = config.auth.accessTokenSeconds;
    this.jwt = new JwtService({ secret: this.key });
  }

  /** Returns a signed token; the default lifetime is that of access tokens. */
  sign(kind: TokenKind, { userId, sessionId }: TokenSubject, lifetimeSeconds = this.lifetimeSeconds): string {
    const now = Math.floor(Date.now() / 1000);
    const { audience, type } = TOKEN_KINDS[kind];
    return this.jwt.sign(
      { sub: String(userId), sid: sessionId, iat: now, nbf: now - CLOCK_SKEW_SECONDS, exp: now + lifetimeSeconds },
      {
        algorithm: ALGORITHM,
        audience,
        issuer: ISSUER,
        jwtid: randomUUID(),
        header: { alg: ALGORITHM, typ: type, kid: this.keyId },
      },
    );
  }

  /** The checks of a kind; `subjectOf` makes those jsonwebtoken does not. */
  getVerifyOptions(kind: TokenKind): TokenVerifyOptions {
    return { complete: true, algorithms: [ALGORITHM], audience: TOKEN_KINDS[kind].audience, issuer: ISSUER };
  }

  /** The subject of a token whose signature and times hold; null when its type, key or claims are not ours. */
  readSubject(kind: TokenKind, { header, payload }: DecodedToken): TokenSubject | null {
    if (header.typ !== TOKEN_KINDS[kind].type || header.kid !== this.keyId) return null;
    const { sub, sid, exp } = payload;
    const userId = Number(sub);
    if (!Number.isSafeInteger(userId) || typeof sid !== 'string' || typeof exp !== 'number') return null;
    return { userId, sessionId: sid };
  }

  /** The subject of an access token that `read` found good before and that has not expired; null for any other. */
  findVerified(token: string): TokenSubject | null {
    return this.cache.get(token) ?? null;
  }

  /** Reads a token outside of the guard; null when anything about it is wrong. */
  verify(kind: TokenKind, token: string): TokenSubject | null {
    const known = kind === 'access' ? this.findVerified(token) : null;
    if (known) return known;
    try {
      const decoded = this.jwt.verify<DecodedToken>(token, this.getVerifyOptions(kind));
      const subject = this.readSubject(kind, decoded);
      if (subject && kind === 'access') this.cache.set(token, subject, Number(decoded.payload.exp));
      return subject;
    } catch {
      return null;
    }
  }
}

/** The token of the Authorization header. @see RFC 6750 section 2.1 */
export function readBearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}
