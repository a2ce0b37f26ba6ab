import {
  createHash,
  createSecretKey,
  randomUUID,
  type KeyObject,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Config } from '../../platform/config/config';
import { LRUCache } from 'lru-cache';
import type { IncomingHttpHeaders } from 'node:http';

/** About 8 MB of tokens. An evicted token is verified again at its next use. */
const MAX_ENTRIES = 10_000;

interface CacheEntry {
  readonly subject: TokenSubject;
  /** The token's `exp`: seconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Caches verified access tokens until they expire: a caller sends the same one for 15 minutes, and its signature does
 * not change. The session is still checked with every request.
 */
export class AccessTokenCache {
  private readonly entries = new LRUCache<string, CacheEntry>({ max: MAX_ENTRIES });

  constructor(private readonly now: () => number = Date.now) {}

  /** Returns the subject of a verified token that has not expired. */
  get(token: string): TokenSubject | undefined {
    const entry = this.entries.get(token);
    if (!entry) return undefined;
    if (Math.floor(this.now() / 1000) < entry.expiresAt) return entry.subject;
    this.entries.delete(token);
    return undefined;
  }

  /** Stores a verified token. */
  set(token: string, subject: TokenSubject, expiresAt: number): void {
    this.entries.set(token, { subject, expiresAt });
  }
}

const ALGORITHM = 'HS256';
const ISSUER = 'gigvault';

/** Uses of a signed token. Each has its own audience and type, so that a token of one kind is rejected as another. */
const TOKEN_KINDS = {
  access: { audience: 'gigvault:access', type: 'at+jwt' },
  mfa: { audience: 'gigvault:mfa', type: 'mfa+jwt' },
} as const;

/** Tolerated difference between the clocks of two API processes: `nbf` lies this long before `iat`. */
const CLOCK_SKEW_SECONDS = 30;

/** Use of a token. */
export type TokenKind = keyof typeof TOKEN_KINDS;

/** The user and session a token identifies. */
export interface TokenSubject {
  readonly userId: number;
  /** The session; for a pending second factor the id of that sign-in. */
  readonly sessionId: string;
}

/** Verification options of one kind of token, as jsonwebtoken expects them. */
export interface TokenVerifyOptions {
  readonly complete: true;
  readonly algorithms: [typeof ALGORITHM];
  readonly audience: string;
  readonly issuer: string;
}

/** A token with a valid signature and valid times. */
export interface DecodedToken {
  readonly header: { readonly typ?: string; readonly kid?: string };
  readonly payload: { readonly sub?: unknown; readonly sid?: unknown; readonly exp?: unknown };
}

/**
 * Signs and verifies the JWTs of sign-in with HS256 and a derived key, never with the algorithm the token names. The
 * key is a KeyObject: jsonwebtoken tries a string secret as a public key first (400 µs per check on Node 20).
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
    // Identifies the key without revealing anything about it.
    this.keyId = createHash('sha256').update('key id').update(secret).digest('base64url').slice(0, 8);
    this.lifetimeSeconds = config.auth.accessTokenSeconds;
    this.jwt = new JwtService({ secret: this.key });
  }

  /** Returns a signed token; by default with the lifetime of access tokens. */
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

  /** Returns the checks of a kind; `readSubject` makes those that jsonwebtoken does not. */
  getVerifyOptions(kind: TokenKind): TokenVerifyOptions {
    return { complete: true, algorithms: [ALGORITHM], audience: TOKEN_KINDS[kind].audience, issuer: ISSUER };
  }

  /** Returns the subject of a decoded token; null when its type, key or claims do not match. */
  readSubject(kind: TokenKind, { header, payload }: DecodedToken): TokenSubject | null {
    if (header.typ !== TOKEN_KINDS[kind].type || header.kid !== this.keyId) return null;
    const { sub, sid, exp } = payload;
    const userId = Number(sub);
    if (!Number.isSafeInteger(userId) || typeof sid !== 'string' || typeof exp !== 'number') return null;
    return { userId, sessionId: sid };
  }

  /** Returns the subject of an access token that `verify` has accepted and that has not expired; else null. */
  findVerified(token: string): TokenSubject | null {
    return this.cache.get(token) ?? null;
  }

  /** Verifies a token outside the guard; returns null when it is invalid. */
  verify(kind: TokenKind, token: string): TokenSubject | null {
    const cached = kind === 'access' ? this.findVerified(token) : null;
    if (cached) return cached;
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

/** Returns the token of the Authorization header. @see RFC 6750 section 2.1 */
export function readBearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** The content of a genuine refresh token: its session and the hash that the session stores. */
export interface RefreshTokenClaim {
  readonly sessionId: string;
  readonly hash: string;
}

const SECRET_BYTES = 32;
const TAG_BYTES = 16;
const TOKEN_PATTERN = /^([\w-]{22})\.([\w-]{43})\.([\w-]{22})$/;

/**
 * Issues and verifies refresh tokens: `<session id>.<256 random bits>.<tag>`. Only their hash is stored. The tag shows
 * that this installation issued a token even when its hash is gone. It distinguishes a guess from a reused token, so a
 * session cannot be ended with its id alone.
 */
@Injectable()
export class RefreshTokensService {
  private readonly key: Buffer;

  constructor(config: Config) {
    this.key = config.secrets.derive('refresh-token');
  }

  /** Creates a new token of a session. */
  issue(sessionId: string): { token: string; hash: string } {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const tag = this.computeTag(sessionId, secret).toString('base64url');
    const token = `${sessionId}.${secret}.${tag}`;
    return { token, hash: hashToken(token) };
  }

  /** Returns the content of a token; null when this installation did not issue it. */
  verify(token: string): RefreshTokenClaim | null {
    const [, sessionId, secret, tag] = TOKEN_PATTERN.exec(token) ?? [];
    if (!sessionId || !secret || !tag) return null;
    const isGenuine = timingSafeEqual(Buffer.from(tag, 'base64url'), this.computeTag(sessionId, secret));
    return isGenuine ? { sessionId, hash: hashToken(token) } : null;
  }

  private computeTag(sessionId: string, secret: string): Buffer {
    return createHmac('sha256', this.key).update(`${sessionId}.${secret}`).digest().subarray(0, TAG_BYTES);
  }
}

/** Hashes a token. A plain hash is enough for 256 random bits. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
