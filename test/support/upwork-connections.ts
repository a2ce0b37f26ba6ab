import { TokensService } from '../../src/tokens/tokens.service';
import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { TestApp } from './test-app';
import type { SignedInCaller } from './accounts';
import { runAsUser } from './run-as-user';

/** Creates a user's connection to the fake Upwork, as a finished authorization would; it expires in `seconds`. */
export async function createUpworkConnection(
  app: TestApp,
  upwork: FakeUpwork,
  user: SignedInCaller,
  { seconds = 60, organizationId = null }: { seconds?: number; organizationId?: string | null } = {},
): Promise<number> {
  const expiresAt = new Date(Date.now() + seconds * 1_000);
  const connection = {
    provider: 'upwork' as const,
    ...upwork.grants.issueTokens(user.email),
    expiresAt,
    organizationId,
  };
  const { token } = await runAsUser(user.id, () => app.get(TokensService).store(connection));
  return token.id;
}

/** Moves time past the pause after which a failed connection is retried and a refreshed one may be refreshed again. */
export async function advanceRefreshTime(app: TestApp, tokenId: number): Promise<void> {
  await app.db.query(
    'superuser',
    `UPDATE user_tokens SET next_refresh_at = next_refresh_at - interval '1 hour',
       last_refreshed_at = last_refreshed_at - interval '1 hour', refresh_until = refresh_until - interval '1 hour'
     WHERE id = $1`,
    [tokenId],
  );
}
