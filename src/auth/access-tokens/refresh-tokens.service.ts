import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';

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
