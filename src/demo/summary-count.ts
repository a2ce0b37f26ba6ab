import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client';

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

interface Job {
  readonly id: number;
}

type Step = 'jobsSeen' | 'proposalsDrafted' | 'proposalsSent' | 'answered' | 'won';

interface Summary {
  readonly funnel: Readonly<Record<Step, number>>;
  readonly winRate: number | null;
  readonly answerRate: number | null;
}

/** Maximum age of a summary after a change by a worker. */
const SUMMARY_AGE_MS = 1_000;

const ATTEMPTS = 12;
const ATTEMPT_INTERVAL_MS = 250;

/** A count by hand of what happens to a user, which each summary of the API must equal. */
export class SummaryCount {
  private constructor(
    private readonly api: ApiClient,
    private readonly counts: Record<Step, number>,
    private newestJobId: number,
  ) {}

  /** Starts with the counts of earlier actions. */
  static async begin(api: ApiClient): Promise<SummaryCount> {
    await sleep(SUMMARY_AGE_MS);
    const { jobsSeen, proposalsDrafted, proposalsSent, answered, won } = (await readSummary(api)).funnel;
    const { items } = await api.get<Page<Job>>('/v1/jobs?limit=1');
    return new SummaryCount(api, { jobsSeen, proposalsDrafted, proposalsSent, answered, won }, items[0]?.id ?? 0);
  }

  /** Counts the jobs that were created since the last call. */
  async addNewJobs(): Promise<void> {
    const ids: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page<Job> = await this.api.get<Page<Job>>(`/v1/jobs?limit=100${after}`);
      const created = page.items.filter(({ id }) => id > this.newestJobId);
      ids.push(...created.map(({ id }) => id));
      cursor = created.length < page.items.length ? null : page.nextCursor;
    }
    this.counts.jobsSeen += ids.length;
    this.newestJobId = Math.max(this.newestJobId, ...ids);
  }

  /** Counts one proposal that reached a step. */
  add(step: Exclude<Step, 'jobsSeen'>): void {
    this.counts[step] += 1;
  }

  /** Compares the summary with the count, and returns it as a text. @throws Error when they differ */
  async check(): Promise<string> {
    const expected = this.compute();
    for (let attempt = 1; ; attempt++) {
      const { funnel, winRate, answerRate } = await readSummary(this.api);
      const found = { funnel: pickCounts(funnel, this.counts), winRate, answerRate };
      if (isDeepStrictEqual(found, expected)) return describeCounts(this.counts);
      if (attempt === ATTEMPTS)
        throw new Error(`The summary is ${JSON.stringify(found)}; counted by hand: ${JSON.stringify(expected)}`);
      await sleep(ATTEMPT_INTERVAL_MS);
    }
  }

  private compute(): Summary {
    const { proposalsSent, answered, won } = this.counts;
    const divide = (count: number) =>
      proposalsSent === 0 ? null : Math.round((10_000 * count) / proposalsSent) / 10_000;
    return { funnel: { ...this.counts }, winRate: divide(won), answerRate: divide(answered) };
  }
}

function readSummary(api: ApiClient): Promise<Summary> {
  return api.get<Summary>('/v1/analytics/summary');
}

/** Keeps the counted steps: the API may show more. */
function pickCounts(funnel: Summary['funnel'], counted: Summary['funnel']): Summary['funnel'] {
  return Object.fromEntries(Object.keys(counted).map((step) => [step, funnel[step as Step]])) as Summary['funnel'];
}

function describeCounts({ jobsSeen, proposalsDrafted, proposalsSent, answered, won }: Summary['funnel']): string {
  return `${jobsSeen} jobs, ${proposalsDrafted} drafted, ${proposalsSent} sent, ${answered} answered, ${won} won`;
}
