import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import type { PageQueryDto } from '../platform/http/page-query.dto';
import { AuditLogViews } from './audit-log-views';
import { listAuditLogs, type AuditLogRow } from './audit.queries';
import type { ChangeDto } from './dto/change.dto';

/** What happened to one record, for the domain it belongs to. */
@Injectable()
export class AuditHistory {
  private readonly views: AuditLogViews;

  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {
    this.views = new AuditLogViews(database);
  }

  /**
   * Returns one page of the changes of the tenant's record, newest first, as long as the log goes back, also after its
   * end. Empty for a record that is not his: the domain tells then whether there is one. One statement.
   */
  async of(table: string, recordId: number, query: PageQueryDto): Promise<Page<ChangeDto>> {
    const scope = { ...query, table, recordId };
    const page = this.pages.open(scope);
    const rows = await this.database.list<AuditLogRow>(...listAuditLogs({ table, recordId }, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], this.views.change);
  }
}
