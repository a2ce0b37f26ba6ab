import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { RedisClients } from '../../platform/redis/redis-clients';
import { AccessTokensService } from '../access-tokens/access-tokens.service';
import type { Credentials } from '../accounts/accounts.service';
import type { VerifiedCredentials } from '../sessions/session-tokens.service';

/** Time between password and code. */
const LIFETIME_SECONDS = 300;

const ID_BYTES = 16;

/** A sign-in with the right password that waits for its code. */
export interface PendingSignIn {
  readonly id: string;
  readonly credentials: VerifiedCredentials;
}

/** Stores sign-ins between password and code for five minutes; each starts at most one session. */
@Injectable()
export class PendingSignInsService {
  constructor(
    private readonly redis: RedisClients,
    private readonly tokens: AccessTokensService,
  ) {}

  /** Stores a pending sign-in and returns its token, which is valid for the second step only. */
  async create({ userId, role, readAt }: Credentials): Promise<string> {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const value = JSON.stringify({ userId, role, readAt: readAt.getTime() });
    await this.redis.commands.set(buildKey(id), value, 'EX', LIFETIME_SECONDS);
    return this.tokens.sign('mfa', { userId, sessionId: id }, LIFETIME_SECONDS);
  }

  /** Returns the sign-in of a token; null when it has ended or the token is invalid. */
  async find(token: string): Promise<PendingSignIn | null> {
    const subject = this.tokens.verify('mfa', token);
    const text = subject && (await this.redis.commands.get(buildKey(subject.sessionId)));
    if (!text) return null;
    const { userId, role, readAt } = JSON.parse(text) as { userId: number; role: 'user' | 'admin'; readAt: number };
    if (userId !== subject.userId) return null;
    return { id: subject.sessionId, credentials: { userId, role, readAt: new Date(readAt), totpEnabled: true } };
  }

  /** Removes a pending sign-in; returns false when another request removed it first. */
  async remove(id: string): Promise<boolean> {
    return (await this.redis.commands.del(buildKey(id))) === 1;
  }
}

function buildKey(id: string): string {
  return `mfa-pending:${id}`;
}
