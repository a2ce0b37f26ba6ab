import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../config/config';
import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../scheduler/scheduled-task';
import { associatedData } from './data-keys';
import { EncryptionError } from './ciphertext';
import { KeyRefused } from './kms/key-service';
import { KeyInventory, type ProcessKeys } from './key-inventory';
import {
  MARK_FINISHED,
  RECORD_ROTATION,
  OPEN_ROTATION,
  MARK_PROMOTED,
  type KeyRotation,
} from './key-rotations.queries';
import { MasterKeys } from './master-keys';

/** Data keys re-wrapped in one transaction; the most work that a dying worker loses. */
const BATCH = 500;

/** Longest wait, in task leases, until all processes have a key or wrap with it. */
const WAIT_LIMIT_LEASES = 1.5;
const POLL_INTERVAL_MS = 250;

interface Row {
  readonly id: number;
  readonly userId: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

interface Counts {
  rewrap: number;
  unreadable: number;
}

const NEXT = `
  SELECT id, user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey"
  FROM app.data_keys_to_rewrap($1, $2, $3)`;

/** Prevents deadlocks between an aborted run and its successor. */
const ONE_AT_A_TIME = `SELECT pg_advisory_xact_lock(hashtextextended('rotate-encryption-keys', 0))`;

/**
 * Rotates the master key in repeatable steps. It creates the key (with a key file) and waits until every process has
 * it, then promotes it, then wraps every data key with it. Secrets are not changed and stay readable: both wrappings of
 * a data key contain the same key. After a crash the next worker that starts continues.
 */
export const ROTATE_ENCRYPTION_KEYS: ScheduledTask = {
  id: 'rotate-encryption-keys',
  description: 'Continues a rotation of the master key, and wraps data keys of older master keys with the current one.',
  cron: '23 3 * * *',
  timezone: 'UTC',
  timeoutMs: 60 * 60_000,
  retries: 3,
  missedRunImpact: 'An old master key stays in use and cannot be retired. Nothing stops working.',
  runsAtBoot: true,
  run: rotateEncryptionKeys,
};

async function rotateEncryptionKeys(task: TaskContext): Promise<TaskResult | Skipped> {
  const masterKeys = task.service(MasterKeys);
  const keyId = await findTargetKey(task, masterKeys);
  if (keyId === undefined) return { skipped: 'the current key wraps all data keys, and no rotation is open' };
  if (masterKeys.makesKeys) await masterKeys.prepare(keyId);
  await waitForEveryProcess(task, `has the master key ${keyId}`, ({ ids }) => ids.includes(keyId));
  if (masterKeys.currentId !== keyId) await masterKeys.promote(keyId);
  await task.asWorker((unit) => unit.query(MARK_PROMOTED, [keyId]));
  const counts: Counts = { rewrap: 0, unreadable: 0 };
  await rewrapAll(task, keyId, counts);
  await waitForEveryProcess(task, `wraps with the master key ${keyId}`, ({ currentId }) => currentId === keyId);
  // Data keys that other processes wrapped with the old key before they saw the new one.
  if (counts.unreadable === 0) await rewrapAll(task, keyId, counts);
  if (counts.unreadable > 0) {
    throw new Error(
      `${counts.unreadable} data keys cannot be unwrapped: their master key is missing or refused; ` +
        `${counts.rewrap} were re-wrapped`,
    );
  }
  await task.asWorker((unit) => unit.query(MARK_FINISHED, [keyId]));
  return { keyId, ...counts };
}

/** Returns the key of the open rotation; otherwise, except at boot, the current key while another is in use. */
async function findTargetKey(
  { readOnly, asWorker, startedBy }: TaskContext,
  { currentId, makesKeys }: MasterKeys,
): Promise<string | undefined> {
  const [open] = await readOnly((unit) => unit.query<KeyRotation>(OPEN_ROTATION));
  if (open) {
    if (open.keyId === currentId || makesKeys) return open.keyId;
    throw new Error(
      `the first key of this worker's ENCRYPTION_KEYS is ${currentId}, but the rotation is to ${open.keyId}: ` +
        'put that key first in all processes, or request a new rotation',
    );
  }
  if (startedBy === 'boot') return undefined;
  const others = await readOnly((unit) => unit.query<Row>(NEXT, [currentId, 0, 1]));
  if (others.length === 0) return undefined;
  await asWorker((unit) => unit.query(RECORD_ROTATION, [currentId]));
  return currentId;
}

/** Waits until `isReady` is true for every process. @throws Error with the names of the others after the time limit */
async function waitForEveryProcess(
  { service, signal }: TaskContext,
  condition: string,
  isReady: (process: ProcessKeys) => boolean,
): Promise<void> {
  const inventory = service(KeyInventory);
  for (
    const until = Date.now() + WAIT_LIMIT_LEASES * service(Config).tasks.leaseMs;
    ;
    await sleep(POLL_INTERVAL_MS, undefined, { signal })
  ) {
    const others = (await inventory.list()).filter((process) => !isReady(process));
    if (others.length === 0) return;
    if (Date.now() > until)
      throw new Error(`not every process ${condition}: ${others.map(({ name }) => name).join(', ')}`);
  }
}

async function rewrapAll(
  { readOnly, asWorker, service, signal }: TaskContext,
  masterKey: string,
  counts: Counts,
): Promise<void> {
  const masterKeys = service(MasterKeys);
  for (let after = 0; ;) {
    signal.throwIfAborted();
    const rows = await readOnly((unit) => unit.query<Row>(NEXT, [masterKey, after, BATCH]));
    if (rows.length === 0) return;
    const changes: { id: number; old: string; new: string }[] = [];
    for (const row of rows) {
      const wrapped = await rewrap(row, masterKeys);
      if (wrapped === undefined) counts.unreadable += 1;
      else changes.push({ id: row.id, old: row.wrappedKey, new: wrapped });
    }
    counts.rewrap += await asWorker(async (unit) => {
      await unit.query(ONE_AT_A_TIME);
      const [result] = await unit.query<{ changed: number }>(`SELECT app.rewrap_data_keys($1) AS changed`, [
        JSON.stringify(changes),
      ]);
      return result?.changed ?? 0;
    });
    after = rows.at(-1)!.id;
  }
}

async function rewrap(row: Row, masterKeys: MasterKeys): Promise<string | undefined> {
  const associated = associatedData(row);
  try {
    return await masterKeys.wrap(await masterKeys.unwrap(row.wrappedKey, associated), associated);
  } catch (error) {
    if (error instanceof EncryptionError || error instanceof KeyRefused) return undefined;
    throw error;
  }
}
