import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { joinUnitOfWork } from '../platform/database/current-unit-of-work';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import type { ImportReportDto } from './import/import-report.dto';
import { JobsImportService } from './import/jobs-import.service';

/** Those of the vacancies $1 that came from Upwork were seen; within the hour is near enough, and spares the writes. */
const SEEN = `
  UPDATE jobs SET fetched_at = now()
  WHERE source_key IN (SELECT 'upwork:' || seen.id FROM unnest($1::text[]) AS seen (id))
    AND fetched_at < now() - interval '1 hour'`;

/** Those of the vacancies $1 whose content had expired have it again. */
const REVIVE = `
  UPDATE jobs SET fetched_at = now(), expired_at = NULL, status = 'active'
  WHERE source_key IN (SELECT 'upwork:' || seen.id FROM unnest($1::text[]) AS seen (id))
    AND expired_at IS NOT NULL AND status = 'deleted'`;

/** Keeps vacancies that come from Upwork itself, and when they did. */
@Injectable()
export class UpworkJobsService {
  constructor(
    private readonly database: Database,
    private readonly imports: JobsImportService,
  ) {}

  /**
   * Stores vacancies by the rules of the import: favourite and status stay, but what had expired is active again. One unit
   * of work, which `also` may add to; an audit row for each job made or changed, none for one that was only seen.
   * @param rows by our field names, each with its `upworkJobId`
   */
  store(
    rows: readonly Readonly<Record<string, unknown>>[],
    also: (unit: UnitOfWork, report: ImportReportDto) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<ImportReportDto> {
    const ids = rows.map(({ upworkJobId }) => upworkJobId);
    const body = Readable.from([Buffer.from(JSON.stringify(rows))], { objectMode: true });
    return this.database.transaction((unit) =>
      joinUnitOfWork(unit, async () => {
        const report = await this.imports.run(body, 'application/json', { isFetched: true });
        await unit.query(REVIVE, [ids]);
        await unit.query(SEEN, [ids]);
        await also(unit, report);
        return report;
      }),
    );
  }
}
