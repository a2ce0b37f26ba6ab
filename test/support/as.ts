import { randomUUID } from 'node:crypto';
import { AccessTokens } from '../../src/auth/access-tokens.service';
import { RefreshTokens } from '../../src/auth/refresh-tokens.service';
import { SessionsService } from '../../src/auth/sessions.service';
import type { TestApp } from './app';
import { Caller } from './caller';

/** A signed-in user of a test, with a live session. */
export class SignedInCaller extends Caller {
  constructor(
    baseUrl: string,
    token: string,
    readonly id: number,
    readonly email: string,
    readonly sessionId: string,
    readonly refreshToken: string,
  ) {
    super(baseUrl, token);
  }
}

/** Nobody in particular. */
export function anonymous(app: TestApp): Caller {
  return new Caller(app.url);
}

/** Makes a verified user and signs him in, without the cost of a password; he cannot sign in by one. */
export async function signedIn(
  app: TestApp,
  { role = 'user', email = `${randomUUID()}@example.com` }: { role?: 'user' | 'admin'; email?: string } = {},
): Promise<SignedInCaller> {
  const [user] = await app.db.query<{ id: number; now: Date }>(
    'superuser',
    `INSERT INTO users (email, encrypted_password, first_name, last_name, role, is_verified)
     VALUES ($1, 'none', 'Ann', 'Other', $2, true) RETURNING id, clock_timestamp() AS now`,
    [email, role],
  );
  const { id: userId, now: provenAt } = user!;
  const sessions = app.get(SessionsService);
  const sessionId = sessions.newId();
  const { token: refreshToken, hash: refreshHash } = app.get(RefreshTokens).issue(sessionId);
  await sessions.begin(sessionId, { userId, role, provenAt, refreshHash, device: 'a test', ip: '127.0.0.1' });
  const accessToken = app.get(AccessTokens).sign('access', { userId, sessionId });
  return new SignedInCaller(app.url, accessToken, userId, email, sessionId, refreshToken);
}
