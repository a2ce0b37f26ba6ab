import { randomUUID } from 'node:crypto';
import { Passwords } from '../../src/auth/passwords.service';
import { totpAt } from '../../src/auth/mfa/totp';
import type { TestApp } from './app';
import { anonymous } from './as';
import { Caller } from './caller';

/** A verified user with a password, not signed in. */
export interface Person {
  readonly id: number;
  readonly email: string;
  readonly password: string;
}

/** Makes a verified user who can sign in by his password. */
export async function aPerson(app: TestApp, { role = 'user' }: { role?: 'user' | 'admin' } = {}): Promise<Person> {
  const email = `${randomUUID()}@example.com`;
  const password = 'seven green umbrellas';
  const [user] = await app.db.query<{ id: number }>(
    'superuser',
    `INSERT INTO users (email, encrypted_password, role, is_verified) VALUES ($1, $2, $3, true) RETURNING id`,
    [email, await app.get(Passwords).hash(password), role],
  );
  return { id: user!.id, email, password };
}

/** Signs somebody in over HTTP, from a device of his. */
export async function signIn(app: TestApp, { email, password }: Person, agent = 'his usual browser'): Promise<Caller> {
  const { status, body } = await anonymous(app).post('/v1/auth/login', { email, password }, { 'user-agent': agent });
  if (status !== 200 || !body.accessToken) throw new Error(`sign-in answered ${status} ${JSON.stringify(body)}`);
  return new Caller(app.url, body.accessToken);
}

/** An authenticator app that can look ahead: a code stays good while the clock moves on to the next step. */
export class Authenticator {
  private readonly step = Math.floor(Date.now() / 30_000);

  constructor(private readonly secret: string) {}

  /** The code of so many steps after the one the authenticator was set up in. */
  code(delta = 1): string {
    return totpAt(this.secret, this.step + delta);
  }
}

/** Turns two-factor sign-in on; the code of step 0 is spent by that. */
export async function withTotp(
  user: Caller,
  { password }: Person,
): Promise<{ authenticator: Authenticator; backupCodes: string[] }> {
  const { body } = await user.post('/v1/auth/mfa/totp', { password });
  const authenticator = new Authenticator(body.secret);
  const confirmed = await user.post('/v1/auth/mfa/totp/confirm', { code: authenticator.code(0) });
  if (confirmed.status !== 200)
    throw new Error(`confirm answered ${confirmed.status} ${JSON.stringify(confirmed.body)}`);
  return { authenticator, backupCodes: confirmed.body.backupCodes };
}
