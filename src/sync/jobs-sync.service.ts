import { Injectable } from '@nestjs/common';
import { FetchedJobs } from '../jobs/fetched-jobs.service';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import { SEARCH_JOBS } from '../upwork/upwork.documents';
import { UpworkClient, type UpworkCaller } from '../upwork/upwork-client.service';
import { jobRowOf } from './job-rows';
import { pagesOf } from './pages';
import { SyncParts } from './sync-parts';
import type { SyncResult } from './sync-values';

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
  readonly lastFullSearchAt: Date | null;
}

const SEARCHES = `
  SELECT id, query, job_type AS "jobType", last_searched_at AS "lastSearchedAt", last_full_search_at AS "lastFullSearchAt"
  FROM saved_searches ORDER BY id LIMIT 50`;

const COUNT_MATCHES = `UPDATE saved_searches SET new_matches = new_matches + $2 WHERE id = $1`;

const SEARCHED = `
  UPDATE saved_searches SET last_searched_at = $2, last_full_search_at = CASE WHEN $3 THEN $2 ELSE last_full_search_at END,
    last_error = NULL
  WHERE id = $1`;

const SEARCH_FAILED = `UPDATE saved_searches SET last_error = $2 WHERE id = $1`;

/** Brings in the vacancies that fit the tenant's saved searches, by the rules of the import. */
@Injectable()
export class JobsSync {
  constructor(
    private readonly database: Database,
    private readonly upwork: UpworkClient,
    private readonly jobs: FetchedJobs,
    private readonly config: Config,
  ) {}

  /**
   * Runs every saved search. The same vacancy is the same job, changed where Upwork says something new; favourite and
   * status stay. Each page is stored together with its count of new matches, so a run that breaks off loses and repeats
   * none. A search that fails keeps the reason and leaves the others alone. Session: user, short units of its own.
   * @throws UpworkError when the access token is refused or all searches failed
   */
  async run(caller: UpworkCaller): Promise<SyncResult> {
    const figures = { searches: 0, created: 0, updated: 0, unchanged: 0, failed: 0, failedSearches: 0, unreadable: 0 };
    const parts = new SyncParts();
    for (const search of await this.database.query<Search>(SEARCHES)) {
      const reason = await parts.run(`saved search ${search.id}`, () => this.search(search, caller, figures));
      if (reason !== null) await this.database.query(SEARCH_FAILED, [search.id, reason]);
    }
    figures.failedSearches = parts.failed;
    return { error: parts.summary(), isComplete: parts.isComplete, figures };
  }

  private async search(search: Search, caller: UpworkCaller, figures: Record<string, number>): Promise<void> {
    const began = new Date();
    const isFull = this.isFullSearchDue(search);
    const add = (name: string, count: number): void => void (figures[name] = (figures[name] ?? 0) + count);
    for await (const { rows, unreadable } of this.rowsOf(search, isFull, caller)) {
      add('unreadable', unreadable);
      if (rows.length === 0) continue;
      const report = await this.jobs.store(rows, (unit, { created }) =>
        unit.query(COUNT_MATCHES, [search.id, created]),
      );
      for (const name of ['created', 'updated', 'unchanged', 'failed'] as const) add(name, report[name]);
    }
    await this.database.query(SEARCHED, [search.id, began, isFull]);
    add('searches', 1);
  }

  /** Twice in the time a vacancy is kept unseen: what a search still finds does not expire. */
  private isFullSearchDue({ lastFullSearchAt }: Search): boolean {
    const everyMs = (this.config.upwork.cacheHours / 2) * 3_600_000;
    return lastFullSearchAt === null || (everyMs > 0 && lastFullSearchAt.getTime() < Date.now() - everyMs);
  }

  /** Until a page holds nothing new, for what was published or renewed before the last search is known; or all, to see it again. */
  private async *rowsOf(
    { query, jobType, lastSearchedAt }: Search,
    isFull: boolean,
    caller: UpworkCaller,
  ): AsyncGenerator<{ rows: Record<string, unknown>[]; unreadable: number }> {
    const known = (lastSearchedAt?.getTime() ?? 0) - OVERLAP_MS;
    const filter = { searchExpression_eq: query, ...(jobType && { jobType_eq: jobType.toUpperCase() }) };
    const read = async (after: string | null) => {
      const variables = { filter: { ...filter, pagination_eq: { after, first: PAGE } } };
      return (await this.upwork.call(SEARCH_JOBS, variables, caller)).marketplaceJobPostingsSearch;
    };
    for await (const { nodes: jobs, unreadable } of pagesOf(MAX_PAGES, read)) {
      const isKnown = !jobs.some((job) => Date.parse(job.renewedDateTime ?? job.publishedDateTime ?? '') >= known);
      yield { rows: jobs.map(jobRowOf), unreadable };
      if (isKnown && !isFull) return;
    }
  }
}
