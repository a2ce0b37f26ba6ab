import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../config/config';
import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../scheduler/scheduled-task';
import { associatedData } from './data-keys';
import { EncryptionError } from './ciphertext';
import { KeyInventory, type ProcessKeys } from './key-inventory';
import {
  MARK_FINISHED,
  RECORD_ROTATION,
  OPEN_ROTATION,
  MARK_PROMOTED,
  type KeyRotation,
} from './key-rotations.queries';
import { MasterKeys } from './master-keys';

/** Wrapped anew in one transaction; a worker that dies loses no more work than this. */
const BATCH = 500;

/** So many leases all processes may take to have a key, or to wrap with it. */
const WAIT_LIMIT_MS = 1.5;
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
  SELECT id, user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey" FROM app.data_keys_to_rewrap($1, $2, $3)`;

/** A run that was given up and its successor must not lock each other's rows in turns. */
const ONE_AT_A_TIME = `SELECT pg_advisory_xact_lock(hashtextextended('rotate-encryption-keys', 0))`;

/**
 * Changes the master key in three steps, each of which may be repeated: a new key is made, where keys come from a file, and
 * the run waits until every process has it; then it wraps what is new; then every data key is wrapped with it anew. No
 * secret is touched and none stops opening meanwhile: either wrapping of a data key gives the same key. What is done stays
 * done, so a run that died is simply begun again, by the next worker that starts.
 */
export const ROTATE_ENCRYPTION_KEYS: ScheduledTask = {
  id: 'rotate-encryption-keys',
  description:
    'Carries on a rotation of the master key, and wraps data keys that an older one wraps with the current one.',
  cron: '23 3 * * *',
  timezone: 'UTC',
  timeoutMs: 60 * 60_000,
  retries: 3,
  missedRunImpact: 'An old master key stays in use and cannot be removed; nothing stops working.',
  runsAtBoot: true,
  run: rotateEncryptionKeys,
};

async function rotateEncryptionKeys(task: TaskContext): Promise<TaskResult | Skipped> {
  const masterKeys = task.service(MasterKeys);
  const keyId = await keyToRotateTo(task, masterKeys);
  if (keyId === undefined) return { skipped: 'the current key wraps all data keys, and no rotation is open' };
  if (masterKeys.makesKeys) await masterKeys.prepare(keyId);
  await waitForEveryProcess(task, `has the master key ${keyId}`, ({ ids }) => ids.includes(keyId));
  if (masterKeys.currentId !== keyId) await masterKeys.promote(keyId);
  await task.asWorker((unit) => unit.query(MARK_PROMOTED, [keyId]));
  const counts: Counts = { rewrap: 0, unreadable: 0 };
  await rewrapAll(task, keyId, counts);
  await waitForEveryProcess(task, `wraps with the master key ${keyId}`, ({ currentId }) => currentId === keyId);
  // What others made with the old key before they saw the new one.
  if (counts.unreadable === 0) await rewrapAll(task, keyId, counts);
  if (counts.unreadable > 0) {
    throw new Error(
      `${counts.unreadable} data keys cannot be unwrapped: their master key is missing; ${counts.rewrap} were wrapped anew`,
    );
  }
  await task.asWorker((unit) => unit.query(MARK_FINISHED, [keyId]));
  return { keyId, ...counts };
}

/** The key of the open rotation, or, unless a worker has merely started, the current one when another is still in use. */
async function keyToRotateTo(
  { readOnly: look, asWorker, startedBy }: TaskContext,
  { currentId, makesKeys }: MasterKeys,
): Promise<string | undefined> {
  const [open] = await look((unit) => unit.query<KeyRotation>(OPEN_ROTATION));
  if (open) {
    if (open.keyId === currentId || makesKeys) return open.keyId;
    throw new Error(
      `the first key of this worker's ENCRYPTION_KEYS is ${currentId}, and the rotation is to ${open.keyId}: put that first in all processes, or ask for a new rotation`,
    );
  }
  if (startedBy === 'boot') return undefined;
  const others = await look((unit) => unit.query<Row>(NEXT, [currentId, 0, 1]));
  if (others.length === 0) return undefined;
  await asWorker((unit) => unit.query(RECORD_ROTATION, [currentId]));
  return currentId;
}

/** @throws Error naming the processes of which it is not true in time */
async function waitForEveryProcess(
  { service, signal }: TaskContext,
  what: string,
  isTrueOf: (holder: ProcessKeys) => boolean,
): Promise<void> {
  const holders = service(KeyInventory);
  for (
    const until = Date.now() + WAIT_LIMIT_MS * service(Config).tasks.leaseMs;
    ;
    await sleep(POLL_INTERVAL_MS, undefined, { signal })
  ) {
    const others = (await holders.list()).filter((holder) => !isTrueOf(holder));
    if (others.length === 0) return;
    if (Date.now() > until) throw new Error(`not every process ${what}: ${others.map(({ name }) => name).join(', ')}`);
  }
}

async function rewrapAll(
  { readOnly: look, asWorker, service, signal }: TaskContext,
  masterKey: string,
  counts: Counts,
): Promise<void> {
  const masterKeys = service(MasterKeys);
  for (let after = 0; ;) {
    signal.throwIfAborted();
    const rows = await look((unit) => unit.query<Row>(NEXT, [masterKey, after, BATCH]));
    if (rows.length === 0) return;
    const changes: { id: number; old: string; new: string }[] = [];
    for (const row of rows) {
      const wrapped = await rewrapped(row, masterKeys);
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

async function rewrapped(row: Row, masterKeys: MasterKeys): Promise<string | undefined> {
  const associated = associatedData(row);
  try {
    return await masterKeys.wrap(await masterKeys.unwrap(row.wrappedKey, associated), associated);
  } catch (error) {
    if (error instanceof EncryptionError) return undefined;
    throw error;
  }
}
