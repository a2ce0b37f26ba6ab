import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../platform/database/system-database';
import { MasterKeys } from '../platform/encryption/master-keys';
import { ROTATE_ENCRYPTION_KEYS } from '../platform/encryption/rotate-encryption-keys.task';
import { BACKUPS_BY_KEY } from './backups.queries';
import type { EncryptionKeyDto } from './dto/encryption-key.dto';
import type { TaskRunDto } from './dto/task-run.dto';
import { TasksService } from './tasks.service';

/** The master keys in the hands of an admin: their use, and their change. Runs as gigvault_admin, with security events. */
@Injectable()
export class EncryptionKeysService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly masterKeys: MasterKeys,
    private readonly tasks: TasksService,
  ) {}

  /** Returns the configured keys, the current one first, then those in use that are not configured. */
  async list(): Promise<EncryptionKeyDto[]> {
    const [rows, needed] = await this.system.asAdmin('list the encryption keys', (unit) =>
      Promise.all([
        unit.query<{ id: string; uses: number }>(`SELECT master_key AS id, uses FROM app.data_key_uses()`),
        unit.query<{ id: string; backups: number }>(BACKUPS_BY_KEY),
      ]),
    );
    const { ids, currentId } = this.masterKeys;
    const uses = new Map(rows.map((row) => [row.id, row.uses]));
    const backups = new Map(needed.map((row) => [row.id, row.backups]));
    const all = [...new Set([...ids, ...uses.keys(), ...backups.keys()])];
    return all.map((id) => ({ id, isCurrent: id === currentId, isConfigured: ids.includes(id), uses: uses.get(id) ?? 0, backups: backups.get(id) ?? 0 }));
  }

  /** Has a worker wrap all data keys with the current master key; reads and writes go on meanwhile. */
  rotate(reason: string): Promise<TaskRunDto> {
    return this.tasks.run(ROTATE_ENCRYPTION_KEYS.id, reason);
  }
}
