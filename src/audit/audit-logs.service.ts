import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { SystemDatabase } from '../platform/database/system-database';
import { AppError } from '../platform/errors/app-error';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import type { PageQueryDto } from '../platform/http/page-query.dto';
import { AuditLogViews } from './audit-log-views';
import { listAuditLogs, type AuditLogRow } from './audit.queries';
import type { AdminAuditLogDto } from './dto/admin-audit-log.dto';
import type { AuditLogDto } from './dto/audit-log.dto';
import type { ListAllAuditLogsDto } from './dto/list-all-audit-logs.dto';
import type { ListAuditLogsDto } from './dto/list-audit-logs.dto';

/** The audit log, read: a tenant's own rows under row level security, all rows for an admin. */
@Injectable()
export class AuditLogsService {
  private readonly views: AuditLogViews;

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly pages: KeysetPages,
  ) {
    this.views = new AuditLogViews(database);
  }

  /** Returns one page of what happened to the signed-in user's rows, newest first. One statement. */
  async list(query: ListAuditLogsDto): Promise<Page<AuditLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], this.views.own);
  }

  /**
   * Returns one page of what happened to one record of the signed-in user, newest first. One statement.
   * @throws AppError `audit.not_found` when nothing ever did
   * @see get_audit_trail of the database architecture this grew from
   */
  async trail(table: string, recordId: number, query: PageQueryDto): Promise<Page<AuditLogDto>> {
    const scope = { ...query, table, recordId };
    const page = this.pages.open(scope);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs({ table, recordId }, page.after, page.take));
    if (rows.length === 0 && query.cursor === undefined) throw new AppError('audit.not_found');
    return page.of(rows, (row) => [row.sortKey, row.id], this.views.own);
  }

  /** Returns one page of what happened to anybody's rows, newest first, as gigvault_admin; the reading is logged. */
  async listAll(query: ListAllAuditLogsDto): Promise<Page<AdminAuditLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.system.asAdmin('read the audit log', (unit) =>
      unit.query<AuditLogRow>(...listAuditLogs(query, page.after, page.take)),
    );
    return page.of(rows, (row) => [row.sortKey, row.id], this.views.admin);
  }
}
