import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import type { TestApp } from './test-app';
import { pause } from './wait-for';

/** Builds the location of a user's secret. */
export const buildSecretContext = (userId: number) => ({
  table: 'user_tokens',
  column: 'encrypted_access_token',
  userId,
  sealKey: 'a-uuid',
});

/** A secret of a user. */
export interface Sealed {
  readonly userId: number;
  readonly value: string;
}

/** Creates users with one secret each. */
export async function createSecrets(app: TestApp, count: number): Promise<Sealed[]> {
  const rows = await app.db.query<{ id: number }>(
    'superuser',
    `INSERT INTO users (email, encrypted_password)
     SELECT gen_random_uuid() || '@example.com', 'none' FROM generate_series(1, $1) RETURNING id`,
    [count],
  );
  const sealed: Sealed[] = [];
  for (const { id: userId } of rows)
    sealed.push({
      userId,
      value: await app.get(EncryptionService).seal(`secret ${userId}`, buildSecretContext(userId)),
    });
  return sealed;
}

/** Processes that read secrets. */
export interface Readers {
  /** Numbers of decrypted and failed secrets. */
  readonly counts: { opened: number; failed: number };
  stop(): Promise<void>;
}

/** Decrypts random secrets until stopped. */
export function startReaders(processes: readonly TestApp[], sealed: readonly Sealed[]): Readers {
  const counts = { opened: 0, failed: 0 };
  let isOver = false;
  const reading = processes.map(async (process) => {
    while (!isOver) {
      const { userId, value } = sealed[Math.floor(Math.random() * sealed.length)]!;
      const text = await process
        .get(EncryptionService)
        .open(value, buildSecretContext(userId))
        .catch(() => undefined);
      counts[text === `secret ${userId}` ? 'opened' : 'failed'] += 1;
      await pause(1, 'a cached key decrypts at once, and the tested work needs the processor too');
    }
  });
  const stop = async (): Promise<void> => {
    isOver = true;
    await Promise.all(reading);
  };
  return { counts, stop };
}
