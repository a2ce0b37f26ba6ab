import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';

/** A refresh token as we know it: the session it belongs to and the hash under which that session keeps it. */
export interface RefreshTokenClaim {
  readonly sessionId: string;
  readonly hash: string;
}

const SECRET_BYTES = 32;
const TAG_BYTES = 16;
const TOKEN_PATTERN = /^([\w-]{22})\.([\w-]{43})\.([\w-]{22})$/;

/**
 * Makes and reads refresh tokens: `<session id>.<256 random bits>.<tag>`. Only their hash is kept. The tag proves that we
 * issued a token even when its hash is no longer known, so that a guess is told apart from a token used twice, and
 * nobody who merely knows a session's id can end it.
 */
@Injectable()
export class RefreshTokensService {
  private readonly key: Buffer;

  constructor(config: Config) {
    this.key = config.secrets.derive('refresh-token');
  }

  /** Makes a new token of a session. */
  issue(sessionId: string): { token: string; hash: string } {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const tag = this.computeTag(sessionId, secret).toString('base64url');
    const token = `${sessionId}.${secret}.${tag}`;
    return { token, hash: hashToken(token) };
  }

  /** What a presented token claims; null when we never issued it. */
  verify(token: string): RefreshTokenClaim | null {
    const [, sessionId, secret, tag] = TOKEN_PATTERN.exec(token) ?? [];
    if (!sessionId || !secret || !tag) return null;
    const isOurs = timingSafeEqual(Buffer.from(tag, 'base64url'), this.computeTag(sessionId, secret));
    return isOurs ? { sessionId, hash: hashToken(token) } : null;
  }

  private computeTag(sessionId: string, secret: string): Buffer {
    return createHmac('sha256', this.key).update(`${sessionId}.${secret}`).digest().subarray(0, TAG_BYTES);
  }
}

/** A plain hash is enough: what is hashed has 256 random bits. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
