import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import { diffFields, mapAuditedColumns } from '../logs/audit-logs.service';
import type { RecordVersionDto } from './record-version.dto';
import { type RecordVersionRow, VERSION_AT } from './record-versions.queries';

/** Reads earlier versions of the signed-in user's records from the audit log. */
@Injectable()
export class RecordVersionsService {
  constructor(private readonly database: Database) {}

  /**
   * Returns the record as it was at an instant. The audit log omits bookkeeping columns, and so does the version. One
   * statement. Session: user.
   * @throws AppError `audit.not_found` when the user's log has no change of the record
   */
  async getAt(table: string, recordId: number, at: Date): Promise<RecordVersionDto> {
    const [version] = await this.database.list<RecordVersionRow>(VERSION_AT, [table, recordId, at]);
    if (!version) throw new AppError('audit.not_found');
    const { exists, auditId, isComplete, isErased, values } = version;
    const columns = mapAuditedColumns(this.database.metadataOf(table));
    const changes = exists ? diffFields(null, values, (column) => columns.get(column)) : {};
    const fields = Object.fromEntries(Object.entries(changes).map(([field, change]) => [field, change.new]));
    return { table, recordId, at, exists, auditId, isComplete, isErased, fields };
  }
}
