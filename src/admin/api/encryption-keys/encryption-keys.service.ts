import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { requireAct } from '../../../platform/context/admin-acts';
import { SystemDatabase, type AdminReader } from '../../../platform/database/system-database';
import type { UnitOfWork } from '../../../platform/database/unit-of-work';
import {
  BEGIN_ROTATION,
  LATEST_ROTATION,
  CLOSED_ROTATION,
  type KeyRotation,
} from '../../../platform/encryption/key-rotations.queries';
import { MasterKeys } from '../../../platform/encryption/master-keys';
import { ROTATE_ENCRYPTION_KEYS } from '../../../platform/encryption/rotate-encryption-keys.task';
import { AppError } from '../../../platform/errors/app-error';
import { BACKUPS_BY_KEY } from '../backups/backups.queries';
import { type EncryptionKeyDto, type EncryptionKeyListDto } from './encryption-keys.dto';
import type { TaskRunDto } from '../tasks/tasks.dto';
import { AdminTasksService } from '../tasks/admin-tasks.service';

/** Master keys for admins: their uses, rotation and removal. Runs as gigvault_admin, with security events. */
@Injectable()
export class EncryptionKeysService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly masterKeys: MasterKeys,
    private readonly tasks: AdminTasksService,
  ) {}

  /** Returns the configured keys, the current one first, then missing keys still in use; and the latest rotation. */
  list(
    read: AdminReader = (work) => this.system.asAdmin('list the encryption keys', work),
  ): Promise<EncryptionKeyListDto> {
    return read(async (unit) => {
      const items = await this.readKeys(unit);
      const [rotation] = await unit.query<KeyRotation>(LATEST_ROTATION);
      return { makesKeys: this.masterKeys.makesKeys, items, rotation: rotation ? addProgress(rotation, items) : null };
    });
  }

  /**
   * Starts a rotation or continues the open one, and returns the queued run. With a key file it creates a new key, used
   * once every process has it; otherwise it uses the current key. Reads and writes continue meanwhile.
   */
  async rotate(reason: string): Promise<TaskRunDto> {
    const { makesKeys, currentId } = this.masterKeys;
    const [rotation] = await this.system.performAsAdmin(
      'rotate-encryption-keys',
      `rotate the encryption keys: ${reason}`,
      (unit) => unit.query<KeyRotation>(BEGIN_ROTATION, [makesKeys ? createKeyId() : currentId, !makesKeys]),
    );
    return this.tasks.run(ROTATE_ENCRYPTION_KEYS.id, `to the key ${rotation?.keyId ?? ''}: ${reason}`);
  }

  /**
   * Destroys an old key of the key file.
   * @throws AppError `encryption_key.not_found`; `encryption_key.in_use` for the current key, one that wraps data
   *   keys or that a stored backup needs, and until a minute after the last rotation; `encryption_key.of_settings` when
   *   the keys come from ENCRYPTION_KEYS
   */
  async retire(id: string, reason: string): Promise<void> {
    // Before the answers below, which say which keys exist.
    requireAct('retire-encryption-key');
    const { makesKeys, currentId, ids } = this.masterKeys;
    if (!makesKeys)
      throw new AppError('encryption_key.of_settings', {
        detail: 'Remove the key from ENCRYPTION_KEYS of every process.',
      });
    if (!ids.includes(id)) throw new AppError('encryption_key.not_found');
    const auditReason = `retire the encryption key ${id}: ${reason}`;
    const [key, isSettled] = await this.system.performAsAdmin('retire-encryption-key', auditReason, async (unit) => {
      const [row] = await unit.query<{ settled: boolean }>(CLOSED_ROTATION);
      return [(await this.readKeys(unit)).find((key) => key.id === id), row?.settled ?? false] as const;
    });
    if (id === currentId)
      throw new AppError('encryption_key.in_use', {
        detail: 'The current key cannot be destroyed. Rotate the keys first.',
      });
    if (key && key.uses > 0)
      throw new AppError('encryption_key.in_use', {
        detail: `The key still wraps data keys (${key.uses}). Rotate the keys first.`,
      });
    if (key && key.backups > 0)
      throw new AppError('encryption_key.in_use', {
        detail: `Stored backups still need the key (${key.backups}). Wait until they have expired.`,
      });
    if (!isSettled)
      throw new AppError('encryption_key.in_use', {
        detail: 'The last rotation ended less than a minute ago or is still running. Try again later.',
        headers: { 'retry-after': '60' },
      });
    await this.masterKeys.retire(id);
  }

  private async readKeys(unit: UnitOfWork): Promise<EncryptionKeyDto[]> {
    const [rows, backupRows] = await Promise.all([
      unit.query<{ id: string; uses: number }>(
        `SELECT master_key AS id, uses FROM app.count_data_keys_by_master_key()`,
      ),
      unit.query<{ id: string; backups: number }>(BACKUPS_BY_KEY),
    ]);
    const { ids, currentId } = this.masterKeys;
    const uses = new Map(rows.map((row) => [row.id, row.uses]));
    const backups = new Map(backupRows.map((row) => [row.id, row.backups]));
    const all = [...new Set([...ids, ...uses.keys(), ...backups.keys()])];
    return all.map((id) => ({
      id,
      isCurrent: id === currentId,
      isConfigured: ids.includes(id),
      uses: uses.get(id) ?? 0,
      backups: backups.get(id) ?? 0,
    }));
  }
}

/** Creates an id from the date, for people, and a random part, which makes it unique. */
function createKeyId(): string {
  return `k${new Date().toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(4).toString('hex')}`;
}

function addProgress({ keyId, startedAt, promotedAt, finishedAt }: KeyRotation, keys: readonly EncryptionKeyDto[]) {
  const total = keys.reduce((sum, { uses }) => sum + uses, 0);
  return { keyId, startedAt, promotedAt, finishedAt, rewrapped: keys.find(({ id }) => id === keyId)?.uses ?? 0, total };
}
