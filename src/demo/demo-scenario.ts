import { type ApiClient, ApiError } from './api-client';
import { draftWithAi } from './ai-draft';
import { type Terminal } from './terminal';

const DATABASE_SKILLS = 'PostgreSQL, MySQL, Python, Database Administration';

/** A small invented listing in Upwork's columns: every form of budget, and one repeated row. */
export const SAMPLE_LISTING = `Job Title,Hourly/Fixed,Budget,Level,Skills
Online shop for a small bakery,Fixed price,"Est. budget:
$1,200.00",Intermediate,"Web Development, WordPress, WooCommerce, CSS"
Move a reporting service from MySQL to PostgreSQL,Hourly: $35.00 - $60.00,N/A,Expert,"${DATABASE_SKILLS}"
React dashboard for a fleet of sensors,Hourly: $25.00 - $45.00,N/A,Intermediate,"React, TypeScript, Node.js, MQTT"
Fix the checkout of our NestJS backend,Hourly,N/A,Expert,"Node.js, NestJS, TypeScript, Stripe, +3"
Logo for a climbing club,Fixed price,"Est. budget:
$90.00",Entry Level,"Graphic Design, Logo Design"
Telegram bot that answers delivery questions,Fixed price,"Est. budget:
$400.00",Intermediate,"Python, Telegram API, Bot Development"
Translate a mobile app into Ukrainian,Hourly: $12.00 - $20.00,N/A,Entry Level,"Translation, Ukrainian, Localization"
Speed up slow PostgreSQL queries,Fixed price,"Est. budget:
$650.00",Expert,"PostgreSQL, Performance Optimization, SQL"
Landing page in Webflow,Fixed price,"Est. budget:
$250.00",Entry Level,"Webflow, Web Design"
Scraper for public tenders,Hourly: $18.00 - $30.00,N/A,Intermediate,"Python, Data Scraping, PostgreSQL"
Logo for a climbing club,Fixed price,"Est. budget:
$90.00",Entry Level,"Graphic Design, Logo Design"
Mentor for a junior TypeScript developer,Hourly,N/A,Intermediate,"TypeScript, Node.js"
`;

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

const NO_AI_TEXT = 'no AI provider is configured; `npm start -- --fake-ai` adds fake ones that work offline';

/** Limit for a requested refresh of the statistics. */
const STATS_TIMEOUT_MS = 15_000;

/** A freelancer's day over HTTP. Each method performs and prints one part. */
export class DemoScenario {
  constructor(
    private readonly api: ApiClient,
    private readonly terminal: Terminal,
  ) {}

  /** Imports a listing; known jobs do not change. */
  async importJobs(name: string, bytes: Uint8Array): Promise<void> {
    this.terminal.printHeading(`Jobs from ${name}`);
    const result = await this.api.upload<ImportResult>('/v1/jobs/import', {
      bytes,
      contentType: 'text/csv',
      onProgress: (sent) => this.terminal.printProgress('sent', sent, bytes.length),
    });
    const count = (n: number): string => n.toLocaleString('en');
    this.terminal.printSuccess(
      `${count(result.total)} rows: ${count(result.created)} created, ${count(result.updated)} updated, ` +
        `${count(result.unchanged)} repeats unchanged, ${count(result.failed)} failed`,
    );
  }

  /** Searches and filters jobs, marks a favourite, and returns the best matches. */
  async searchJobs(): Promise<readonly Job[]> {
    this.terminal.printHeading('Looking for work');
    const query = 'q=postgresql%20OR%20python&status=active&limit=5';
    const { items } = await this.api.get<Page<Job>>(`/v1/jobs?${query}`);
    this.terminal.printLine('"postgresql OR python", newest first:');
    this.terminal.printTable(
      items.map((job) => [`#${job.id}`, job.title, formatPay(job), job.skills.slice(0, 3).join(', ')]),
    );
    const skilled = await this.api.get<Page<Job>>('/v1/jobs?skills=JavaScript&budgetMin=500&limit=3');
    this.terminal.printLine('skill JavaScript, budget from 500.00 USD:');
    this.terminal.printTable(skilled.items.map((job) => [`#${job.id}`, job.title, formatPay(job)]));
    const [first] = items;
    if (first) {
      await this.api.patch(`/v1/jobs/${first.id}`, { isFavorite: true });
      this.terminal.printSuccess(`#${first.id} is a favourite`);
    }
    return items;
  }

  /** Drafts, submits and wins a proposal for the first job without an open one. */
  async winProposal(jobs: readonly Job[]): Promise<{ job: Job; proposal: Proposal } | undefined> {
    this.terminal.printHeading('A proposal');
    for (const job of jobs) {
      const draft = await this.createDraft(job);
      if (!draft) continue;
      this.terminal.printSuccess(`drafted #${draft.id} for "${job.title}"`);
      const letter = await draftWithAi(this.api, this.terminal, job.id, draft.id);
      if (letter === undefined) this.terminal.printLine(NO_AI_TEXT);
      await this.api.patch(`/v1/proposals/${draft.id}`, { bidAmount: '45.00' });
      await this.api.post(`/v1/proposals/${draft.id}/submit`);
      const proposal = await this.api.post<Proposal>(`/v1/proposals/${draft.id}/accept`);
      this.terminal.printSuccess(`submitted, then ${proposal.status}`);
      return { job, proposal };
    }
    this.terminal.printLine('every match has an open proposal already');
    return undefined;
  }

  /** Records a message of the client, reads it and answers. */
  async exchangeMessages(job: Job): Promise<void> {
    this.terminal.printHeading('The conversation');
    await this.api.post('/v1/messages', {
      jobId: job.id,
      senderType: 'client',
      content: 'Your proposal convinced us. When can you start?',
    });
    const { unread } = await this.api.get<{ unread: number }>('/v1/messages/unread-count');
    this.terminal.printLine(`client: "When can you start?"  (${unread} unread)`);
    await this.api.post('/v1/messages/read', { jobId: job.id });
    await this.api.post('/v1/messages', { jobId: job.id, senderType: 'freelancer', content: 'On Monday.' });
    const left = await this.api.get<{ unread: number }>('/v1/messages/unread-count');
    this.terminal.printSuccess(`read and answered: "On Monday."  (${left.unread} unread)`);
  }

  /** Prints the user's statistics once they are refreshed. */
  async showAnalytics(since: Date): Promise<void> {
    this.terminal.printHeading('Statistics');
    const stats = await this.waitForStats(since);
    this.terminal.printTable([
      ['jobs', 'active', 'favourites', 'refreshed at'],
      [String(stats.totalJobs), String(stats.activeJobs), String(stats.favoriteJobs), stats.refreshedAt ?? 'not yet'],
    ]);
  }

  /** Prints who changed what. */
  async showHistory(proposal: Proposal): Promise<void> {
    this.terminal.printHeading('Who changed what');
    const { items } = await this.api.get<Page<Change>>(`/v1/proposals/${proposal.id}/history`);
    this.terminal.printTable(items.map((c) => [c.at, c.actor.kind, c.action, describeChange(c)]));
  }

  /** Checks that another user gets 404 for the job. */
  async checkIsolation(otherUser: ApiClient, job: Job): Promise<void> {
    this.terminal.printHeading('Another user');
    const error: unknown = await otherUser.get(`/v1/jobs/${job.id}`).catch((reason: unknown) => reason);
    if (!(error instanceof ApiError) || error.status !== 404) throw new Error(`Another user can read job ${job.id}.`);
    this.terminal.printSuccess(`GET of job #${job.id} answers: ${error.message}`);
  }

  private async createDraft(job: Job): Promise<Proposal | undefined> {
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

  private async waitForStats(since: Date): Promise<JobStats> {
    const until = Date.now() + STATS_TIMEOUT_MS;
    for (;;) {
      const stats = await this.api.get<JobStats>('/v1/analytics/job-stats');
      const isRefreshed = stats.refreshedAt !== null && new Date(stats.refreshedAt) >= since;
      if (isRefreshed || Date.now() > until) return stats;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function formatPay(job: Job): string {
  if (job.jobType === 'fixed') return job.budgetMax ? `${job.budgetMax} USD` : 'fixed';
  return job.hourlyRateMin ? `${job.hourlyRateMin}–${job.hourlyRateMax} USD/h` : 'hourly';
}

function describeChange(change: Change): string {
  if (change.action === 'INSERT') return 'created';
  return Object.entries(change.changes)
    .map(([field, { old, new: now }]) => `${field}: ${String(old)} → ${String(now)}`)
    .join(', ');
}
