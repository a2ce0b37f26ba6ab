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

/** Backup requests of admins; a worker executes them. Runs as gigvault_admin, with security events. */
@Injectable()
export class AdminBackupsService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly tasks: AdminTasksService,
    private readonly pages: KeysetPages,
  ) {}

  /** Returns one page of the backups, newest first. Rows stay for 400 days after their file was removed. */
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

  /** Queues a backup, or returns the one already queued. A worker takes it as soon as one is free. */
  async create(reason: string): Promise<BackupDto> {
    const adminId = currentContext()?.principal?.userId ?? 0;
    const backup = await this.system.performAsAdmin('create-backup', `make a backup: ${reason}`, async (unit) => {
      const [queued] = await unit.query<BackupDto>(...findQueuedBackup());
      const [created] = queued ? [queued] : await unit.query<BackupDto>(...insertBackup(adminId, reason));
      return created;
    });
    if (!backup) throw new Error('INSERT … RETURNING returned no row');
    await this.tasks.run(BACKUP.id, reason);
    return backup;
  }

  /**
   * Queues another check of a backup. A verified backup counts as verified meanwhile.
   * @throws AppError `backup.not_found`; `backup.not_checkable` when it has no file or is pending or running
   */
  async verify(id: number, reason?: string): Promise<BackupDto> {
    const auditReason = describeAction(`verify backup ${id}`, reason);
    const { found, requested } = await this.system.performAsAdmin('verify-backup', auditReason, async (unit) => {
      const [before] = await unit.query<BackupDto>(...findBackup(id));
      const [after] = await unit.query<BackupDto>(...requestCheck(id));
      return { found: before, requested: after };
    });
    if (!found) throw new AppError('backup.not_found');
    if (!requested) throw new AppError('backup.not_checkable', { detail: explainNotCheckable(found) });
    await this.tasks.run(BACKUP.id, auditReason);
    return requested;
  }
}

function explainNotCheckable({ status, removedAt }: BackupDto): string {
  if (removedAt !== null) return 'The file of this backup was removed.';
  return status === 'failed' ? 'This backup has no file.' : `This backup is ${status}; try again when it has finished.`;
}
