import type { Figures, ScheduledTask, Skipped, TaskContext } from '../scheduler/scheduled-task';
import { associatedData } from './data-keys';
import { EncryptionError } from './encryption-error';
import { MasterKeys } from './master-keys';

/** Wrapped anew in one transaction; a worker that dies loses no more work than this. */
const BATCH = 500;

interface Row {
  readonly id: number;
  readonly userId: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

const NEXT = `
  SELECT id, user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey" FROM app.data_keys_not_under($1, $2, $3)`;

/**
 * Wraps every data key with the current master key. No secret is touched and none stops opening meanwhile: either
 * wrapping of a data key gives the same key. What is done stays done, so a run that died is simply begun again.
 */
export const ROTATE_ENCRYPTION_KEYS: ScheduledTask = {
  id: 'rotate-encryption-keys',
  description: 'Wraps data keys that an older master key wraps with the current one, the first of ENCRYPTION_KEYS.',
  cron: '23 3 * * *',
  timezone: 'UTC',
  timeoutMs: 60 * 60_000,
  retries: 3,
  whatAMissMeans: 'An old master key stays in use and cannot be removed; nothing stops working.',
  run: rotateEncryptionKeys,
};

async function rotateEncryptionKeys({ look, asWorker, service, signal }: TaskContext): Promise<Figures | Skipped> {
  const masterKeys = service(MasterKeys);
  const figures = { rewrapped: 0, unreadable: 0 };
  for (let after = 0; ; ) {
    signal.throwIfAborted();
    const rows = await look((unit) => unit.query<Row>(NEXT, [masterKeys.currentId, after, BATCH]));
    if (rows.length === 0) break;
    const changes: { id: number; old: string; new: string }[] = [];
    for (const row of rows) {
      const wrapped = await rewrapped(row, masterKeys);
      if (wrapped === undefined) figures.unreadable += 1;
      else changes.push({ id: row.id, old: row.wrappedKey, new: wrapped });
    }
    const [result] = await asWorker((unit) =>
      unit.query<{ changed: number }>(`SELECT app.rewrap_data_keys($1) AS changed`, [JSON.stringify(changes)]),
    );
    figures.rewrapped += result?.changed ?? 0;
    after = rows.at(-1)!.id;
  }
  if (figures.unreadable > 0) {
    throw new Error(`${figures.unreadable} data keys cannot be unwrapped: a key is missing from ENCRYPTION_KEYS; ${figures.rewrapped} were wrapped anew`);
  }
  return figures.rewrapped === 0 ? { skipped: 'the current key wraps all data keys' } : figures;
}

async function rewrapped(row: Row, masterKeys: MasterKeys): Promise<string | undefined> {
  const associated = associatedData(row);
  try {
    return await masterKeys.wrap(await masterKeys.unwrap(row.wrappedKey, associated), associated);
  } catch (error) {
    if (error instanceof EncryptionError) return undefined;
    throw error;
  }
}
