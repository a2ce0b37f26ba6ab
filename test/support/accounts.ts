import { randomUUID } from 'node:crypto';
import { AccessTokensService, RefreshTokensService } from '../../src/auth/access-tokens/access-tokens.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { type TestApp } from './test-app';
import { Caller } from './caller';
import { PasswordsService } from '../../src/auth/passwords/passwords.service';
import { computeTotp } from '../../src/auth/mfa/totp';

/** A signed-in user of a test. */
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

/** Creates a caller without a session. */
export function createAnonymousCaller(app: TestApp): Caller {
  return new Caller(app.url);
}

/** Options of a signed-in user. */
interface CallerOptions {
  readonly role?: 'user' | 'admin';
  readonly email?: string;
  /** True when the user has just re-authenticated; by default an admin. */
  readonly hasStepUp?: boolean;
}

/** Creates a verified user and signs them in, without the cost of a password. They have no password to sign in with. */
export async function createSignedInCaller(
  app: TestApp,
  { role = 'user', email = `${randomUUID()}@example.com`, hasStepUp = role === 'admin' }: CallerOptions = {},
): Promise<SignedInCaller> {
  const [user] = await app.db.query<{ id: number; now: Date }>(
    'superuser',
    `INSERT INTO users (email, encrypted_password, first_name, last_name, role, is_verified)
     VALUES ($1, 'none', 'Ann', 'Other', $2, true) RETURNING id, clock_timestamp() AS now`,
    [email, role],
  );
  const { id: userId, now: verifiedAt } = user!;
  const sessions = app.get(SessionsService);
  const sessionId = sessions.generateId();
  const { token: refreshToken, hash: refreshHash } = app.get(RefreshTokensService).issue(sessionId);
  await sessions.begin(sessionId, {
    userId,
    role,
    verifiedAt: verifiedAt,
    refreshHash,
    device: 'a test',
    ip: '127.0.0.1',
  });
  if (hasStepUp) await sessions.markStepUp(sessionId, new Date(Date.now() + 600_000));
  const accessToken = app.get(AccessTokensService).sign('access', { userId, sessionId });
  return new SignedInCaller(app.url, accessToken, userId, email, sessionId, refreshToken);
}

/** A verified user with a password who is not signed in. */
export interface Credentials {
  readonly id: number;
  readonly email: string;
  readonly password: string;
}

/** Creates a verified user with a password. */
export async function createUser(
  app: TestApp,
  { role = 'user' }: { role?: 'user' | 'admin' } = {},
): Promise<Credentials> {
  const email = `${randomUUID()}@example.com`;
  const password = 'seven green umbrellas';
  const [user] = await app.db.query<{ id: number }>(
    'superuser',
    `INSERT INTO users (email, encrypted_password, role, is_verified) VALUES ($1, $2, $3, true) RETURNING id`,
    [email, await app.get(PasswordsService).hash(password), role],
  );
  return { id: user!.id, email, password };
}

/** Signs a user in over HTTP from one device. */
export async function signInFrom(
  app: TestApp,
  { email, password }: Credentials,
  agent = 'the usual browser',
): Promise<Caller> {
  const { status, body } = await createAnonymousCaller(app).post(
    '/v1/auth/login',
    { email, password },
    { 'user-agent': agent },
  );
  if (status !== 200 || !body.accessToken) throw new Error(`sign-in answered ${status} ${JSON.stringify(body)}`);
  return new Caller(app.url, body.accessToken);
}

/** An authenticator app that can compute later codes: a code stays valid while the clock moves on to the next step. */
export class Authenticator {
  private readonly firstStep = Math.floor(Date.now() / 30_000);

  constructor(private readonly secret: string) {}

  /** Returns the code of the given number of steps after setup. */
  generateCode(delta = 1): string {
    return computeTotp(this.secret, this.firstStep + delta);
  }
}

/** Enables two-factor sign-in, which uses up the code of step 0. */
export async function enableTotp(
  user: Caller,
  { password }: Pick<Credentials, 'password'>,
): Promise<{ authenticator: Authenticator; backupCodes: string[] }> {
  const { body } = await user.post('/v1/auth/mfa/totp', { password });
  const authenticator = new Authenticator(body.secret);
  const confirmed = await user.post('/v1/auth/mfa/totp/confirm', { code: authenticator.generateCode(0) });
  if (confirmed.status !== 200)
    throw new Error(`confirm answered ${confirmed.status} ${JSON.stringify(confirmed.body)}`);
  return { authenticator, backupCodes: confirmed.body.backupCodes };
}
