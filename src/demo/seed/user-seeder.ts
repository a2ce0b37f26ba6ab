import { type ApiClient, ignoreProblem } from '../api-client';
import type { SeedJob } from './seed-jobs';
import { findMissingSteps, planProposals, type SeedProposal } from './seed-proposals';
import { SEED_TEMPLATES, type SeedUser } from './seed-users';

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

interface Row {
  readonly id: number;
}

interface Proposal extends Row {
  readonly jobId: number;
  readonly status: string;
}

interface Message {
  readonly jobId: number | null;
  readonly content: string;
}

interface ImportReport {
  readonly total: number;
  readonly failed: number;
}

/** Creates one user's rows over HTTP, as the user. Everything that exists already stays as it is. */
export class UserSeeder {
  constructor(
    private readonly api: ApiClient,
    private readonly user: SeedUser,
    private readonly jobs: readonly SeedJob[],
  ) {}

  /** Creates what is missing. @throws ApiError when the API rejects a row */
  async run(): Promise<void> {
    await this.importJobs();
    await this.storeTexts();
    await this.createSearches(await this.createWebhook());
    const ids = await this.listJobIds();
    const proposals = planProposals(this.user, this.jobs);
    await this.createProposals(proposals, ids);
    await this.createMessages(proposals, ids);
  }

  /** Imports the jobs in one request; known ones are found by their Upwork id. */
  private async importJobs(): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(this.jobs));
    const report = await this.api.upload<ImportReport>('/v1/jobs/import', {
      bytes,
      contentType: 'application/json',
      onProgress: () => undefined,
    });
    if (report.failed > 0) throw new Error(`${report.failed} of ${report.total} jobs were rejected.`);
  }

  private async storeTexts(): Promise<void> {
    const { version } = await this.api.get<{ version: number }>('/v1/profile');
    if (version === 0) await this.api.put('/v1/profile', this.user.profile);
    for (const template of SEED_TEMPLATES)
      await this.api.post('/v1/templates', template).catch(ignoreProblem('template.already_exists'));
  }

  private async createWebhook(): Promise<number | null> {
    const { webhookUrl } = this.user;
    if (webhookUrl === undefined) return null;
    const known = (await this.listAll<Row & { url: string }>('/v1/webhooks')).find(({ url }) => url === webhookUrl);
    return (known ?? (await this.api.post<Row>('/v1/webhooks', { url: webhookUrl }))).id;
  }

  private async createSearches(webhookId: number | null): Promise<void> {
    for (const [index, search] of this.user.searches.entries()) {
      const alert = index === 0 ? { alertHours: 24, webhookId } : {};
      await this.api
        .post('/v1/saved-searches', { ...search, ...alert })
        .catch(ignoreProblem('saved_search.already_exists'));
    }
  }

  /** Returns the ids of the user's jobs by their Upwork id. */
  private async listJobIds(): Promise<ReadonlyMap<string, number>> {
    const jobs = await this.listAll<Row & { upworkJobId: string | null }>('/v1/jobs');
    return new Map(jobs.map(({ id, upworkJobId }) => [upworkJobId ?? '', id]));
  }

  private async createProposals(proposals: readonly SeedProposal[], ids: ReadonlyMap<string, number>): Promise<void> {
    const known = new Map(
      (await this.listAll<Proposal>('/v1/proposals')).map((proposal) => [proposal.jobId, proposal]),
    );
    for (const { job, status, coverLetter, bidAmount } of proposals) {
      const jobId = ids.get(job.upworkJobId);
      // The user has deleted the job.
      if (jobId === undefined) continue;
      const draft = { jobId, coverLetter, bidAmount, bidType: job.jobType };
      const proposal = known.get(jobId) ?? (await this.api.post<Proposal>('/v1/proposals', draft));
      for (const step of findMissingSteps(proposal.status, status))
        await this.api.post(`/v1/proposals/${proposal.id}/${step}`);
    }
  }

  private async createMessages(proposals: readonly SeedProposal[], ids: ReadonlyMap<string, number>): Promise<void> {
    const stored = await this.listAll<Message>('/v1/messages');
    const known = new Set(stored.map(({ jobId, content }) => `${jobId} ${content}`));
    for (const { job, messages, isRead } of proposals) {
      const jobId = ids.get(job.upworkJobId);
      const missing = messages.filter(({ content }) => !known.has(`${jobId} ${content}`));
      if (jobId === undefined || missing.length === 0) continue;
      for (const message of missing) await this.api.post('/v1/messages', { ...message, jobId });
      if (isRead) await this.api.post('/v1/messages/read', { jobId });
    }
  }

  private async listAll<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.api.get<Page<T>>(
        `${path}?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }
}
