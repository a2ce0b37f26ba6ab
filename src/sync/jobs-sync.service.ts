import { Injectable } from '@nestjs/common';
import { JobsImportService } from '../jobs/import/jobs-import.service';
import { Database } from '../platform/database/database';
import { SEARCH_JOBS } from '../upwork/upwork.documents';
import { UpworkClient, type UpworkCaller } from '../upwork/upwork-client.service';
import { importBodyOf } from './import-body';
import { jobRowOf } from './job-rows';
import { pagesOf } from './pages';
import type { SyncFigures } from './sync-values';

const PAGE = 50;

/** Upwork gives the newest first; who was away longer gets the newest of each search. */
const MAX_PAGES = 4;

/** Vacancies become visible a little after they are published. */
const OVERLAP_MS = 3_600_000;

interface Search {
  readonly id: number;
  readonly query: string;
  readonly jobType: 'fixed' | 'hourly' | null;
  readonly lastSearchedAt: Date | null;
}

const SEARCHES = `
  SELECT id, query, job_type AS "jobType", last_searched_at AS "lastSearchedAt" FROM saved_searches ORDER BY id LIMIT 50`;

const SEARCHED = `UPDATE saved_searches SET new_matches = new_matches + $2, last_searched_at = $3 WHERE id = $1`;

/** Brings in the vacancies that fit the tenant's saved searches, by the rules of the import. */
@Injectable()
export class JobsSync {
  constructor(
    private readonly database: Database,
    private readonly upwork: UpworkClient,
    private readonly imports: JobsImportService,
  ) {}

  /**
   * Runs every saved search. The same vacancy is the same job, changed where Upwork says something new; favourite and
   * status stay. Session: user, short units of its own. @throws UpworkError
   */
  async run(caller: UpworkCaller): Promise<SyncFigures> {
    const figures = { searches: 0, created: 0, updated: 0, unchanged: 0, failed: 0 };
    for (const search of await this.database.query<Search>(SEARCHES)) {
      const began = new Date();
      let created = 0;
      for await (const rows of this.rowsOf(search, caller)) {
        const report = await this.imports.run(importBodyOf(rows), 'application/json');
        created += report.created;
        figures.updated += report.updated;
        figures.unchanged += report.unchanged;
        figures.failed += report.failed;
      }
      await this.database.query(SEARCHED, [search.id, created, began]);
      figures.searches += 1;
      figures.created += created;
    }
    return figures;
  }

  /** Until a page holds nothing new: what was published or renewed before the last search is known. */
  private async *rowsOf({ query, jobType, lastSearchedAt }: Search, caller: UpworkCaller): AsyncGenerator<Record<string, unknown>[]> {
    const known = (lastSearchedAt?.getTime() ?? 0) - OVERLAP_MS;
    const filter = { searchExpression_eq: query, ...(jobType && { jobType_eq: jobType.toUpperCase() }) };
    const read = async (after: string | null) => {
      const variables = { filter: { ...filter, pagination_eq: { after, first: PAGE } } };
      return (await this.upwork.call(SEARCH_JOBS, variables, caller)).marketplaceJobPostingsSearch;
    };
    for await (const jobs of pagesOf(MAX_PAGES, read)) {
      const fresh = jobs.filter((job) => Date.parse(job.renewedDateTime ?? job.publishedDateTime ?? '') >= known || known < 0);
      if (jobs.length > 0) yield jobs.map(jobRowOf);
      if (fresh.length === 0) return;
    }
  }
}
