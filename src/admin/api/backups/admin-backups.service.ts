import { Injectable } from '@nestjs/common';
import { BACKUP } from '../../../backups/backup-run.service';
import { currentContext } from '../../../platform/context/request-context';
import { SystemDatabase } from '../../../platform/database/system-database';
import { AppError } from '../../../platform/errors/app-error';
import { KeysetPages } from '../../../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { findBackup, findQueuedBackup, insertBackup, listBackups, requestCheck } from './backups.queries';
import type { BackupDto } from './backups.dto';
import { describeAction } from '../reason.dto';
import { AdminTasksService } from '../tasks/admin-tasks.service';

/** Backups in the hands of an admin, who asks; a worker does. Runs as gigvault_admin, with security events. */
@Injectable()
export class AdminBackupsService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly tasks: AdminTasksService,
    private readonly pages: KeysetPages,
  ) {}

  /** Returns one page of the backups, newest first; those whose files are gone are kept for 400 days. */
  async list(query: PageQueryDto): Promise<Page<BackupDto>> {
    const page = this.pages.open(query);
    const [afterId = null] = (page.after ?? []) as number[];
    const rows = await this.system.asAdmin('list the backups', (unit) =>
      unit.query<BackupDto>(...listBackups(afterId, page.take)),
    );
    return page.of(
      rows,
      (row) => [row.id],
      (row) => row,
    );
  }

  /** Asks for a backup now. The answer is the backup that waits; a worker takes it within moments, or as soon as there is one. */
  async create(reason: string): Promise<BackupDto> {
    const adminId = currentContext()?.principal?.userId ?? 0;
    const backup = await this.system.asAdmin(`make a backup: ${reason}`, async (unit) => {
      const [queued] = await unit.query<BackupDto>(...findQueuedBackup());
      const [created] = queued ? [queued] : await unit.query<BackupDto>(...insertBackup(adminId, reason));
      return created;
    });
    if (!backup) throw new Error('INSERT … RETURNING returned no row');
    await this.tasks.run(BACKUP.id, reason);
    return backup;
  }

  /**
   * Asks for a backup to be restored and compared once more. It counts as verified meanwhile, if it was.
   * @throws AppError `backup.not_found`, `backup.not_checkable` when it has no file or is being looked at
   */
  async verify(id: number, reason?: string): Promise<BackupDto> {
    const auditReason = describeAction(`verify backup ${id}`, reason);
    const { found, wanted } = await this.system.asAdmin(auditReason, async (unit) => {
      const [before] = await unit.query<BackupDto>(...findBackup(id));
      const [after] = await unit.query<BackupDto>(...requestCheck(id));
      return { found: before, wanted: after };
    });
    if (!found) throw new AppError('backup.not_found');
    if (!wanted) throw new AppError('backup.not_checkable', { detail: explainNotCheckable(found) });
    await this.tasks.run(BACKUP.id, auditReason);
    return wanted;
  }
}

function explainNotCheckable({ status, removedAt }: BackupDto): string {
  if (removedAt !== null) return 'its file was removed';
  return status === 'failed' ? 'it has no file' : `it is ${status}`;
}
