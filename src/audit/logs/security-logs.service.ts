import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { SystemDatabase } from '../../platform/database/system-database';
import { KeysetPages } from '../../platform/http/pagination/keyset-page';
import type { Page } from '../../platform/http/pagination/page.dto';
import { listSecurityLogs, type SecurityLogRow } from './audit.queries';
import type { ListAccountSecurityLogsDto, ListSecurityLogsDto, SecurityLogDto } from './audit-logs.dto';
import type { SecurityLog } from './audit-log.entity';

/** Reads the security log: all events for admins, their own events for users. */
@Injectable()
export class SecurityLogsService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {}

  /** Returns one page of matching events, newest first, as gigvault_admin; the access is recorded as an event. */
  async list(query: ListSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.system.asAdmin(
      'read the security log',
      (unit) => unit.query<SecurityLogRow>(...listSecurityLogs(query, page.after, page.take)),
      query.userId,
    );
    return page.of(rows, (row) => [row.sortKey, row.id], toSecurityLog);
  }

  /** Returns one page of the signed-in user's matching events, newest first. Session: user. */
  async listForUser(query: ListAccountSecurityLogsDto): Promise<Page<SecurityLogDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<SecurityLogRow>(...listSecurityLogs(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], toSecurityLog);
  }
}

function toSecurityLog(row: SecurityLog): SecurityLogDto {
  const { id, createdAt, userId, eventType, success, ipAddress, userAgent, details } = row;
  return { id, at: createdAt, userId, eventType, success, ipAddress, userAgent, details };
}
