import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { KeysetPages } from '../../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../../platform/http/pagination/page.dto';
import { AuditLogMapper } from './audit-log-mapper';
import { type AuditLogRow, listAuditLogs } from './audit.queries';
import {
  type AdminAuditLogDto,
  type AuditLogDto,
  type ChangeDto,
  type ListAllAuditLogsDto,
  type ListAuditLogsDto,
} from './audit-logs.dto';

/** Reads the audit log: a tenant's own rows under row level security, all rows for an admin. */
@Injectable()
export class AuditLogsService {
  private readonly mapper: AuditLogMapper;

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly pages: KeysetPages,
  ) {
    this.mapper = new AuditLogMapper(database);
  }

  /** Returns one page of the changes of the signed-in user's rows, newest first. One statement. */
  async list(query: ListAuditLogsDto): Promise<Page<AuditLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toTenantLog);
  }

  /**
   * Returns one page of the changes of one record of the signed-in user, newest first. One statement.
   * @throws AppError `audit.not_found` when there are no changes
   */
  async getTrail(table: string, recordId: number, query: PageQueryDto): Promise<Page<AuditLogDto>> {
    const scope = { ...query, table, recordId };
    const page = this.pages.open(scope);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs({ table, recordId }, page.after, page.take));
    if (rows.length === 0 && query.cursor === undefined) throw new AppError('audit.not_found');
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toTenantLog);
  }

  /** Returns one page of the changes of all tenants' rows, newest first, as gigvault_admin; the access is logged. */
  async listAll(query: ListAllAuditLogsDto): Promise<Page<AdminAuditLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.system.asAdmin('read the audit log', (unit) =>
      unit.query<AuditLogRow>(...listAuditLogs(query, page.after, page.take)),
    );
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toAdminLog);
  }
}

/** Reads the changes of one record, for the module of that record. */
@Injectable()
export class AuditHistoryService {
  private readonly mapper: AuditLogMapper;

  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {
    this.mapper = new AuditLogMapper(database);
  }

  /**
   * Returns one page of the changes of the tenant's record, newest first, as far as the log goes back, also for deleted
   * records. Empty for a record of another tenant: the caller checks whether it exists. One statement.
   */
  async listChanges(table: string, recordId: number, query: PageQueryDto): Promise<Page<ChangeDto>> {
    const scope = { ...query, table, recordId };
    const page = this.pages.open(scope);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs({ table, recordId }, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], this.mapper.toChange);
  }
}
