import { draftWithAi } from './ai-draft';
import { ApiError, type ApiClient } from './api-client';
import type { Screen } from './screen';

interface Page<T> {
  readonly items: readonly T[];
}

interface Job {
  readonly id: number;
  readonly title: string;
  readonly jobType: string | null;
  readonly budgetMax: string | null;
  readonly hourlyRateMin: string | null;
  readonly hourlyRateMax: string | null;
  readonly skills: readonly string[];
}

interface Proposal {
  readonly id: number;
  readonly status: string;
}

interface ImportResult {
  readonly total: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
}

interface JobStats {
  readonly totalJobs: number;
  readonly activeJobs: number;
  readonly favoriteJobs: number;
  readonly refreshedAt: string | null;
}

interface Change {
  readonly at: string;
  readonly actor: { readonly kind: string };
  readonly action: string;
  readonly changes: Readonly<Record<string, { readonly old: unknown; readonly new: unknown }>>;
}

/** The statistics are a view; a refresh that was asked for takes a worker a moment. */
const STATS_WAIT_MS = 15_000;

/** A freelancer's day over HTTP, one method a part of it; each prints what he would want to see. */
export class Day {
  constructor(
    private readonly api: ApiClient,
    private readonly screen: Screen,
  ) {}

  /** Brings a listing in; what is known already stays as it is. */
  async bringInJobs(name: string, bytes: Uint8Array): Promise<void> {
    this.screen.heading(`Vacancies from ${name}`);
    const result = await this.api.upload<ImportResult>('/v1/jobs/import', {
      bytes,
      contentType: 'text/csv',
      onProgress: (sent) => this.screen.progress('sent', sent, bytes.length),
    });
    const count = (n: number): string => n.toLocaleString('en');
    this.screen.good(
      `${count(result.total)} rows: ${count(result.created)} created, ${count(result.updated)} updated, ` +
        `${count(result.unchanged)} repeats unchanged, ${count(result.failed)} failed`,
    );
  }

  /** Searches, filters, and keeps a favourite; returns the best matches. */
  async lookForWork(): Promise<readonly Job[]> {
    this.screen.heading('Looking for work');
    const query = 'q=postgresql%20OR%20python&status=active&limit=5';
    const { items } = await this.api.get<Page<Job>>(`/v1/jobs?${query}`);
    this.screen.line('"postgresql OR python", newest first:');
    this.screen.table(items.map((job) => [`#${job.id}`, job.title, payOf(job), job.skills.slice(0, 3).join(', ')]));
    const skilled = await this.api.get<Page<Job>>('/v1/jobs?skills=JavaScript&budgetMin=500&limit=3');
    this.screen.line('skill JavaScript, budget from 500.00 USD:');
    this.screen.table(skilled.items.map((job) => [`#${job.id}`, job.title, payOf(job)]));
    const [first] = items;
    if (first) {
      await this.api.patch(`/v1/jobs/${first.id}`, { isFavorite: true });
      this.screen.good(`#${first.id} is a favourite`);
    }
    return items;
  }

  /** Drafts, submits and wins a proposal on the first job that has none open yet. */
  async propose(jobs: readonly Job[]): Promise<{ job: Job; proposal: Proposal } | undefined> {
    this.screen.heading('A proposal');
    for (const job of jobs) {
      const draft = await this.draftFor(job);
      if (!draft) continue;
      this.screen.good(`drafted #${draft.id} for "${job.title}"`);
      await draftWithAi(this.api, this.screen, job.id, draft.id);
      await this.api.patch(`/v1/proposals/${draft.id}`, { bidAmount: '45.00' });
      await this.api.post(`/v1/proposals/${draft.id}/submit`);
      const proposal = await this.api.post<Proposal>(`/v1/proposals/${draft.id}/accept`);
      this.screen.good(`submitted, then ${proposal.status}`);
      return { job, proposal };
    }
    this.screen.line('every match has an open proposal already');
    return undefined;
  }

  /** The client writes, the freelancer reads and answers. */
  async talk(job: Job): Promise<void> {
    this.screen.heading('The conversation');
    await this.api.post('/v1/messages', {
      jobId: job.id,
      senderType: 'client',
      content: 'Your proposal convinced us. When can you start?',
    });
    const { unread } = await this.api.get<{ unread: number }>('/v1/messages/unread-count');
    this.screen.line(`client: "When can you start?"  (${unread} unread)`);
    await this.api.post('/v1/messages/read', { jobId: job.id });
    await this.api.post('/v1/messages', { jobId: job.id, senderType: 'freelancer', content: 'On Monday.' });
    const left = await this.api.get<{ unread: number }>('/v1/messages/unread-count');
    this.screen.good(`read and answered: "On Monday."  (${left.unread} unread)`);
  }

  /** The tenant's numbers, once the view has followed. */
  async seeTheNumbers(since: Date): Promise<void> {
    this.screen.heading('The numbers');
    const stats = await this.statsSince(since);
    this.screen.table([
      ['jobs', 'active', 'favourites', 'refreshed at'],
      [String(stats.totalJobs), String(stats.activeJobs), String(stats.favoriteJobs), stats.refreshedAt ?? 'not yet'],
    ]);
  }

  /** Who changed what. */
  async readTheRecord(proposal: Proposal): Promise<void> {
    this.screen.heading('Who changed what');
    const { items } = await this.api.get<Page<Change>>(`/v1/proposals/${proposal.id}/history`);
    this.screen.table(items.map((c) => [c.at, c.actor.kind, c.action, describe(c)]));
  }

  /** Shows that what is another's is not there for him. */
  async meetAStranger(stranger: ApiClient, job: Job): Promise<void> {
    this.screen.heading('Another user');
    const error: unknown = await stranger.get(`/v1/jobs/${job.id}`).catch((reason: unknown) => reason);
    if (!(error instanceof ApiError) || error.status !== 404) throw new Error(`job ${job.id} is open to a stranger`);
    this.screen.good(`asks for job #${job.id} and hears: ${error.message}`);
  }

  private async draftFor(job: Job): Promise<Proposal | undefined> {
    try {
      return await this.api.post<Proposal>('/v1/proposals', {
        jobId: job.id,
        coverLetter: 'I have done this three times, the last one in two weeks. Here is how I would go about it.',
        bidAmount: '50.00',
        bidType: job.jobType ?? 'hourly',
      });
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return undefined;
      throw error;
    }
  }

  private async statsSince(since: Date): Promise<JobStats> {
    const until = Date.now() + STATS_WAIT_MS;
    for (;;) {
      const stats = await this.api.get<JobStats>('/v1/analytics/job-stats');
      const fresh = stats.refreshedAt !== null && new Date(stats.refreshedAt) >= since;
      if (fresh || Date.now() > until) return stats;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function payOf(job: Job): string {
  if (job.jobType === 'fixed') return job.budgetMax ? `${job.budgetMax} USD` : 'fixed';
  return job.hourlyRateMin ? `${job.hourlyRateMin}–${job.hourlyRateMax} USD/h` : 'hourly';
}

function describe(change: Change): string {
  if (change.action === 'INSERT') return 'created';
  return Object.entries(change.changes)
    .map(([field, { old, new: now }]) => `${field}: ${String(old)} → ${String(now)}`)
    .join(', ');
}
