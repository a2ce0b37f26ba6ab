import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { RedisClients } from '../../platform/redis/redis-clients';
import { AccessTokensService } from '../access-tokens/access-tokens.service';
import type { Credentials } from '../accounts/accounts.service';
import type { VerifiedCredentials } from '../sessions/session-tokens.service';

/** Between password and code. */
const LIFETIME_SECONDS = 300;

const ID_BYTES = 16;

/** A sign-in whose password was right and whose code is still to come. */
export interface PendingSignIn {
  readonly id: string;
  readonly credentials: VerifiedCredentials;
}

/** Keeps sign-ins between the password and the code: five minutes, each good for one session. */
@Injectable()
export class PendingSignInsService {
  constructor(
    private readonly redis: RedisClients,
    private readonly tokens: AccessTokensService,
  ) {}

  /** Begins one and returns its token, which is good for nothing but the code. */
  async create({ userId, role, readAt }: Credentials): Promise<string> {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const value = JSON.stringify({ userId, role, readAt: readAt.getTime() });
    await this.redis.commands.set(buildKey(id), value, 'EX', LIFETIME_SECONDS);
    return this.tokens.sign('mfa', { userId, sessionId: id }, LIFETIME_SECONDS);
  }

  /** The sign-in of a token, or null when it is over or never was. */
  async find(token: string): Promise<PendingSignIn | null> {
    const subject = this.tokens.verify('mfa', token);
    const text = subject && (await this.redis.commands.get(buildKey(subject.sessionId)));
    if (!text) return null;
    const { userId, role, readAt } = JSON.parse(text) as { userId: number; role: 'user' | 'admin'; readAt: number };
    if (userId !== subject.userId) return null;
    return { id: subject.sessionId, credentials: { userId, role, readAt: new Date(readAt), totpEnabled: true } };
  }

  /** Ends one; false when another request did so first. */
  async remove(id: string): Promise<boolean> {
    return (await this.redis.commands.del(buildKey(id))) === 1;
  }
}

function buildKey(id: string): string {
  return `mfa-pending:${id}`;
}
