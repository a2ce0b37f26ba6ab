import { truncateToCodePoints } from '../platform/http/validation/fields';
import { FIRST_SEARCH_CURSOR, SEARCH_JOBS, type UpworkJob } from '../upwork/documents/jobs.documents';
import { Injectable } from '@nestjs/common';
import { type UpworkJobRow, UpworkJobsService } from '../jobs/upwork-jobs.service';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import { readPages, type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { readJobFacts, readPrice, readRates } from './job-facts';
import { buildSearchFilter, SEARCH_COLUMNS, type SearchFields } from './search-filter';
import { type SyncCaller, type SyncResult, SyncRun } from './sync-run';

type JobType = NonNullable<SearchFields['jobType']>;

/** Title of a job whose title on Upwork is empty. */
const UNTITLED = 'Untitled job on Upwork';

const EXPERIENCE_LEVELS: Readonly<Record<string, string>> = {
  ENTRY_LEVEL: 'entry',
  INTERMEDIATE: 'intermediate',
  EXPERT: 'expert',
};

/**
 * Maps a job from Upwork to a row of an import, with the field names of this API.
 * @param searchedType the job type to which Upwork limited the search
 */
export function toJobRow(job: UpworkJob, searchedType: JobType | null = null): UpworkJobRow {
  const jobType = readJobType(job, searchedType);
  const isHourly = jobType === 'hourly';
  const fixed = readPrice(job.amount?.rawValue);
  return {
    // A search shows the ciphertext of every job; without it the id is built as those of today are.
    upworkJobId: job.ciphertext ?? `~02${job.id}`,
    upworkJobNumber: job.id,
    title: truncateToCodePoints(job.title.trim(), 500) || UNTITLED,
    description: truncateOrNull(job.description, 50_000),
    jobType,
    budgetMin: isHourly ? null : fixed,
    budgetMax: isHourly ? null : fixed,
    ...readRates(job.hourlyBudgetMin?.rawValue, job.hourlyBudgetMax?.rawValue),
    currency: (isHourly ? (job.hourlyBudgetMin ?? job.hourlyBudgetMax) : job.amount)?.currency ?? 'USD',
    skills: listSkills(job),
    // The category of a job is a technical name; its occupation has the label.
    category: truncateOrNull(job.occupations?.category?.prefLabel ?? job.category, 100),
    subcategory: truncateOrNull(job.subcategory, 100),
    country: truncateOrNull(job.client?.location?.country, 100),
    experienceLevel: EXPERIENCE_LEVELS[job.experienceLevel ?? ''] ?? null,
    duration: truncateOrNull(job.durationLabel, 100),
    workload: truncateOrNull(job.engagement, 100),
    clientInfo: buildClientInfo(job),
    ...readJobFacts(job),
  };
}

/**
 * Derives the job type. Only hourly jobs have a kind of hourly budget, hourly rates or weekly hours. A job that says
 * nothing has the type of its search.
 */
function readJobType(job: UpworkJob, searchedType: JobType | null): JobType | null {
  if (job.hourlyBudgetType) return 'hourly';
  if (readPrice(job.hourlyBudgetMin?.rawValue) ?? readPrice(job.hourlyBudgetMax?.rawValue)) return 'hourly';
  if (readPrice(job.amount?.rawValue)) return 'fixed';
  if (job.engagement) return 'hourly';
  if (searchedType) return searchedType;
  return job.hourlyBudgetType === null ? 'fixed' : null;
}

/** Lists the names of the skills that have one. */
function listSkills({ skills }: UpworkJob): string[] {
  const names = (skills ?? []).flatMap((skill) => skill?.prettyName?.trim() || skill?.name?.trim() || []);
  return names.slice(0, 50).map((name) => truncateToCodePoints(name, 100));
}

/**
 * Omits values that change at every read, such as the number of applicants: a job changes only when its posting does.
 */
function buildClientInfo({ client, publishedDateTime, renewedDateTime }: UpworkJob): Record<string, unknown> {
  const info = {
    hires: client?.totalHires,
    postedJobs: client?.totalPostedJobs,
    spent: client?.totalSpent,
    reviews: client?.totalReviews,
    rating: client?.totalFeedback,
    verification: truncateOrNull(client?.verificationStatus, 100),
    publishedAt: publishedDateTime,
    renewedAt: renewedDateTime,
  };
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== null && value !== undefined));
}

function truncateOrNull(text: string | null | undefined, max: number): string | null {
  return text === null || text === undefined ? null : truncateToCodePoints(text, max);
}

const PAGE_SIZE = 50;

/** Upwork returns the newest first: after a long pause only the newest 200 jobs of each search are read. */
const MAX_PAGES = 4;

/** Jobs become visible a little after they are published. */
const OVERLAP_MS = 3_600_000;

interface SearchRow extends SearchFields {
  readonly id: number;
  readonly lastSearchedAt: Date | null;
  readonly lastFullSearchAt: Date | null;
}

/** Lists the searches that waited longest: a run can be ended early, and some always fail. */
const LIST_SEARCHES = `
  SELECT id, last_searched_at AS "lastSearchedAt", last_full_search_at AS "lastFullSearchAt", ${SEARCH_COLUMNS}
  FROM saved_searches ORDER BY last_tried_at NULLS FIRST, id LIMIT 50`;

const ADD_NEW_MATCHES = `UPDATE saved_searches SET new_matches = new_matches + $2 WHERE id = $1`;

const MARK_SEARCHED = `
  UPDATE saved_searches SET last_searched_at = $2, last_tried_at = now(),
    last_full_search_at = CASE WHEN $3 THEN $2 ELSE last_full_search_at END, last_error = NULL
  WHERE id = $1`;

const MARK_SEARCH_FAILED = `UPDATE saved_searches SET last_error = $2, last_tried_at = now() WHERE id = $1`;

/** Imports the jobs that match the tenant's saved searches, with the rules of the import. */
@Injectable()
export class JobsSyncService {
  constructor(
    private readonly database: Database,
    private readonly upwork: UpworkClientService,
    private readonly jobs: UpworkJobsService,
    private readonly config: Config,
  ) {}

  /**
   * Runs every saved search. A known job is updated when Upwork has something new; its favorite flag and status do not
   * change. Each page is stored together with its count of new matches, so an interrupted run loses and repeats none. A
   * failed search stores its error and does not affect the others. Session: user; opens its own short units.
   * @throws UpworkError when the access token is refused or all searches failed
   */
  async run(caller: SyncCaller): Promise<SyncResult> {
    const counts = { searches: 0, created: 0, updated: 0, unchanged: 0, failed: 0, failedSearches: 0, unreadable: 0 };
    const run = new SyncRun(caller.stop);
    for (const search of await this.database.query<SearchRow>(LIST_SEARCHES)) {
      if (run.isStopped) break;
      const reason = await run.runPart(`saved search ${search.id}`, () => this.runSearch(search, caller, counts, run));
      if (reason !== null) await this.database.query(MARK_SEARCH_FAILED, [search.id, reason]);
    }
    counts.failedSearches = run.failedCount;
    return run.finish(counts);
  }

  private async runSearch(
    search: SearchRow,
    caller: UpworkCaller,
    counts: Record<string, number>,
    run: SyncRun,
  ): Promise<void> {
    const startedAt = new Date();
    const isFull = this.isFullSearchDue(search);
    const add = (name: string, count: number): void => void (counts[name] = (counts[name] ?? 0) + count);
    for await (const { rows, unreadable } of this.readRows(search, isFull, caller, run)) {
      add('unreadable', unreadable);
      if (rows.length === 0) continue;
      const report = await this.jobs.store(rows, (unit, { created }) =>
        unit.query(ADD_NEW_MATCHES, [search.id, created]),
      );
      for (const name of ['created', 'updated', 'unchanged', 'failed'] as const) add(name, report[name]);
    }
    await this.database.query(MARK_SEARCHED, [search.id, startedAt, isFull]);
    add('searches', 1);
  }

  /** Full searches run twice per retention time, so that jobs a search still finds do not expire. */
  private isFullSearchDue({ lastFullSearchAt }: SearchRow): boolean {
    const everyMs = (this.config.upwork.cacheHours / 2) * 3_600_000;
    return lastFullSearchAt === null || (everyMs > 0 && lastFullSearchAt.getTime() < Date.now() - everyMs);
  }

  /**
   * Reads until all dates of a page are before the last search; a full search reads all pages. A page without dates
   * shows nothing about the jobs behind it.
   */
  private async *readRows(
    search: SearchRow,
    isFull: boolean,
    caller: UpworkCaller,
    run: SyncRun,
  ): AsyncGenerator<{ rows: UpworkJobRow[]; unreadable: number }> {
    const knownSince = (search.lastSearchedAt?.getTime() ?? 0) - OVERLAP_MS;
    const filter = buildSearchFilter(search);
    const read = async (after = FIRST_SEARCH_CURSOR) => {
      const variables = { filter: { ...filter, pagination_eq: { after, first: PAGE_SIZE } } };
      return run.read(await this.upwork.call(SEARCH_JOBS, variables, caller)).marketplaceJobPostingsSearch;
    };
    for await (const { nodes: jobs, unreadable } of readPages(MAX_PAGES, read)) {
      const dates = jobs.flatMap(
        ({ renewedDateTime, publishedDateTime }) => renewedDateTime ?? publishedDateTime ?? [],
      );
      const isKnown = dates.length > 0 && dates.every((date) => Number(date) < knownSince);
      yield { rows: jobs.map((job) => toJobRow(job, search.jobType)), unreadable };
      if (isKnown && !isFull) return;
    }
  }
}
