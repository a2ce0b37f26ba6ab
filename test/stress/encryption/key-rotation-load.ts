import { randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { AppModule } from '../../../src/app.module';
import { Database } from '../../../src/platform/database/database';
import { createHttpApp } from '../../../src/platform/http/http-app';
import { TokenEncryptionService } from '../../../src/tokens/token-encryption.service';
import { TokensService } from '../../../src/tokens/tokens.service';
import type { UserToken } from '../../../src/tokens/user-token.entity';
import { runAsUser } from '../../support/run-as-user';

/**
 * A process of the key-rotation scenario that reads and writes secrets until it is stopped: `key-rotation-load.ts
 * <first user> <users with a secret> <further users without one>`. Prints `ready`, then `counts <JSON>`.
 */
const [firstUser = 1, withSecret = 1, without = 0] = process.argv.slice(2).map(Number);

const READERS = 3;
const SECRET = `SELECT user_id AS "userId", seal_key AS "sealKey", encrypted_access_token AS "encryptedAccessToken"
  FROM user_tokens`;

async function main(): Promise<void> {
  const app = await createHttpApp(AppModule);
  await app.init();
  const [database, tokenEncryption, tokens] = [Database, TokenEncryptionService, TokensService].map((type) =>
    app.get<unknown>(type, { strict: false }),
  ) as [Database, TokenEncryptionService, TokensService];
  const counts = { reads: 0, writes: 0, firstSecrets: 0, failed: 0, failure: '' };
  let isOver = false;
  const repeat = async (work: () => Promise<void>): Promise<void> => {
    while (!isOver) {
      await work().catch((error: Error) => {
        counts.failed += 1;
        counts.failure ||= error.message;
      });
      await setImmediate();
    }
  };
  const read = async (): Promise<void> => {
    const userId = firstUser + randomInt(withSecret);
    const [row] = await runAsUser(userId, () => database.query<UserToken>(SECRET));
    const text = await tokenEncryption.decryptAccessToken(row!);
    if (!text.startsWith(`access ${userId} `)) throw new Error(`another text than that of user ${userId}`);
    counts.reads += 1;
  };
  let fresh = firstUser + withSecret;
  const write = async (): Promise<void> => {
    // Sometimes writes a user's first secret, for which a data key is created and wrapped.
    const isFirst = fresh < firstUser + withSecret + without && counts.writes % 5 === 0;
    const userId = isFirst ? fresh++ : firstUser + randomInt(withSecret);
    const pair = {
      accessToken: `access ${userId} ${counts.writes}`,
      refreshToken: `refresh ${userId} ${counts.writes}`,
    };
    await runAsUser(userId, () =>
      tokens.store({ provider: 'upwork', ...pair, expiresAt: new Date(Date.now() + 86_400_000) }),
    );
    counts.writes += 1;
    if (isFirst) counts.firstSecrets += 1;
  };
  const all = [...Array.from({ length: READERS }, () => repeat(read)), repeat(write)];
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) if (line === 'stop') break;
  isOver = true;
  await Promise.all(all);
  console.log(`counts ${JSON.stringify(counts)}`);
  await app.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
