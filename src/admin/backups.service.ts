import { Injectable } from '@nestjs/common';
import { BACKUP } from '../backups/backup.task';
import { currentContext } from '../platform/context/request-context';
import { SystemDatabase } from '../platform/database/system-database';
import { AppError } from '../platform/errors/app-error';
import { KeysetPages } from '../platform/http/keyset-page';
import type { PageQueryDto } from '../platform/http/page-query.dto';
import type { Page } from '../platform/http/page';
import { findBackup, findWaiting, insertBackup, listBackups, wantCheck } from './backups.queries';
import type { BackupDto } from './dto/backup.dto';
import { explained } from './explained';
import { TasksService } from './tasks.service';

/** Backups in the hands of an admin, who asks; a worker does. Runs as gigvault_admin, with security events. */
@Injectable()
export class AdminBackupsService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly tasks: TasksService,
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
      const [waiting] = await unit.query<BackupDto>(...findWaiting());
      const [made] = waiting ? [waiting] : await unit.query<BackupDto>(...insertBackup(adminId, reason));
      return made;
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
    const words = explained(`verify backup ${id}`, reason);
    const { found, wanted } = await this.system.asAdmin(words, async (unit) => {
      const [before] = await unit.query<BackupDto>(...findBackup(id));
      const [after] = await unit.query<BackupDto>(...wantCheck(id));
      return { found: before, wanted: after };
    });
    if (!found) throw new AppError('backup.not_found');
    if (!wanted) throw new AppError('backup.not_checkable', { detail: whyNot(found) });
    await this.tasks.run(BACKUP.id, words);
    return wanted;
  }
}

function whyNot({ status, removedAt }: BackupDto): string {
  if (removedAt !== null) return 'its file was removed';
  return status === 'failed' ? 'it has no file' : `it is ${status}`;
}
