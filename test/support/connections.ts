import { TokensService } from '../../src/tokens/tokens.service';
import type { FakeUpwork } from '../fakes/upwork/fake-upwork';
import type { TestApp } from './app';
import type { SignedInCaller } from './as';
import { within } from './within';

/** Makes a connection of a user to the fake Upwork, as a finished authorization would; it expires in `seconds`. */
export async function aConnection(
  app: TestApp,
  upwork: FakeUpwork,
  user: SignedInCaller,
  { seconds = 60, organizationId = null }: { seconds?: number; organizationId?: string | null } = {},
): Promise<number> {
  const expiresAt = new Date(Date.now() + seconds * 1_000);
  const connection = { provider: 'upwork' as const, ...upwork.grants.pair(user.email), expiresAt, organizationId };
  const { token } = await within(user.id, () => app.get(TokensService).store(connection));
  return token.id;
}

/** Lets the time pass after which a connection that failed is tried again, and a refreshed one may be refreshed anew. */
export async function passTime(app: TestApp, tokenId: number): Promise<void> {
  await app.db.query(
    'superuser',
    `UPDATE user_tokens SET next_refresh_at = next_refresh_at - interval '1 hour', last_refreshed_at = last_refreshed_at - interval '1 hour',
       refresh_until = refresh_until - interval '1 hour' WHERE id = $1`,
    [tokenId],
  );
}
