import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { draftWithAi } from './ai-draft';
import { ApiError, type ApiClient, ignoreProblem } from './api-client';
import { FakeUpworkClient, type Posting } from './fake-upwork-client';
import { SummaryCount } from './summary-count';
import type { Terminal } from './terminal';

interface Page<T> {
  readonly items: readonly T[];
}

interface Connection {
  readonly id: number;
  readonly organizationId: string | null;
  readonly health: string;
  readonly expiresAt: string;
}

interface Job {
  readonly id: number;
  readonly title: string;
  readonly upworkJobId: string | null;
}

interface Proposal {
  readonly id: number;
  readonly status: string;
  readonly bidAmount: string | null;
  readonly upworkStatus: string | null;
}

interface Message {
  readonly senderType: string;
  readonly content: string;
  readonly delivery: string | null;
}

interface Draft {
  readonly id: number;
  readonly letter: string;
}

/** What the steps share. */
interface Walk {
  readonly site: FakeUpworkClient;
  readonly posting: Posting;
  readonly count: SummaryCount;
}

interface Sync {
  readonly id: number;
  readonly connectionId: number;
  readonly kind: string;
  readonly status: string;
  readonly lastSuccessAt: string | null;
  readonly lagSeconds: number | null;
  readonly nextRunAt: string;
  readonly lastError: string | null;
  readonly figures: Readonly<Record<string, number>>;
}

/** Limit for one synchronisation; Upwork may be slow. */
const SYNC_TIMEOUT_MS = 60_000;

const NO_UPWORK_TEXT = 'no Upwork is connected; `npm start -- --fake-upwork` adds a fake one that works offline';

const QUESTION = 'Which database have you made faster, and how much?';
const REPLY = 'On Monday. Shall we talk on Friday?';

/**
 * The way from a job on Upwork to an accepted proposal, with the fake Upwork. Actions of people happen on the fake;
 * their results are read from Gigvault's API. After each step the summary must equal a count by hand.
 */
export class UpworkScenario {
  private connection: Connection | undefined;

  constructor(
    private readonly api: ApiClient,
    private readonly terminal: Terminal,
  ) {}

  /** Runs the scenario and returns the accepted proposal; without a fake Upwork it prints how to start one. */
  async run(): Promise<Proposal | undefined> {
    this.terminal.printHeading('Upwork, from a search to a contract');
    const url = await this.requestAuthorizationUrl();
    const site = url === undefined ? undefined : await FakeUpworkClient.detect(url);
    if (url === undefined || !site) {
      this.terminal.printLine(
        url === undefined
          ? NO_UPWORK_TEXT
          : 'this server is configured for the real Upwork, which the demo does not use',
      );
      return undefined;
    }
    await this.connect(site, url);
    // The account at Upwork may have a history.
    for (const kind of ['proposals', 'messages'] as const) await this.synchronize(kind);
    const walk = { site, posting: await this.publishJob(site), count: await SummaryCount.begin(this.api) };
    const job = await this.importJob(walk);
    const proposal = await this.submitProposal(walk, await this.draftProposal(walk, job));
    await this.exchangeMessages(walk, proposal.upworkId, job);
    return this.acceptProposal(walk, proposal);
  }

  private async requestAuthorizationUrl(): Promise<string | undefined> {
    try {
      return (await this.api.post<{ url: string }>('/v1/tokens/upwork/authorize')).url;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'upwork.not_configured') return undefined;
      throw error;
    }
  }

  private async connect(site: FakeUpworkClient, url: string): Promise<void> {
    this.connection = await this.api.get<Connection>(await site.consent(url));
    const { organizationId, health, expiresAt } = this.connection;
    this.terminal.printSuccess(
      `connected to ${site.url} as ${organizationId ?? 'its only organization'}: ${health}, ` +
        `refreshed before ${expiresAt}`,
    );
  }

  private async publishJob(site: FakeUpworkClient): Promise<Posting> {
    const title = `Store sensor readings in PostgreSQL (${randomBytes(2).toString('hex')})`;
    const posting = await site.publish({
      title,
      description: 'Forty million rows a day.',
      skills: 'PostgreSQL,TimescaleDB',
      question: QUESTION,
    });
    this.terminal.printLine(`a client publishes on Upwork: "${title}"`);
    return posting;
  }

  private async importJob({ posting: { id, title }, count }: Walk): Promise<Job> {
    await this.api
      .post('/v1/saved-searches', { name: 'PostgreSQL', query: 'postgresql', alertHours: 24 })
      .catch(ignoreProblem('saved_search.already_exists'));
    const { figures } = await this.synchronize('jobs');
    const { items } = await this.api.get<Page<Job>>(`/v1/jobs?q=${encodeURIComponent(`"${title}"`)}`);
    const job = items.find(({ upworkJobId }) => upworkJobId?.endsWith(id));
    if (!job) throw new Error(`"${title}" was not imported.`);
    this.terminal.printSuccess(
      `searched: ${figures['created']} new, ${figures['unchanged']} known; it is job #${job.id}`,
    );
    await count.addNewJobs();
    await this.checkSummary(count);
    return job;
  }

  /** Reads the screening questions and drafts a proposal, which an AI provider answers when there is one. */
  private async draftProposal({ count }: Walk, job: Job): Promise<Draft> {
    const { questions } = await this.api.post<{ questions: string[] }>(`/v1/jobs/${job.id}/refresh`);
    this.assert(questions.includes(QUESTION), `job #${job.id} has the screening questions ${questions.join()}`);
    this.terminal.printLine(`the full posting asks: "${questions.join('", "')}"`);
    const ownLetter = 'I keep such readings for two power plants. Partitions by day, compression after a week.';
    const draft = { jobId: job.id, coverLetter: ownLetter, bidAmount: '55.00', bidType: 'hourly' };
    const { id, bidAmount, status } = await this.api.post<Proposal>('/v1/proposals', draft);
    this.terminal.printSuccess(`drafted proposal #${id} for ${bidAmount} USD; it is ${status}`);
    const letter = await draftWithAi(this.api, this.terminal, job.id, id);
    count.add('proposalsDrafted');
    await this.checkSummary(count);
    return { id, letter: letter ?? ownLetter };
  }

  private async submitProposal({ site, posting, count }: Walk, draft: Draft): Promise<Proposal & { upworkId: string }> {
    const upworkId = await site.submit(posting.id, draft.letter, '58.00');
    this.terminal.printLine('you submit it on Upwork by hand, for 58.00: Gigvault never submits by itself');
    await this.synchronize('proposals');
    const proposal = await this.api.get<Proposal>(`/v1/proposals/${draft.id}`);
    this.assert(proposal.status === 'submitted', `proposal #${draft.id} is ${proposal.status}`);
    this.terminal.printSuccess(
      `synchronised: proposal #${proposal.id} is ${proposal.status} ("${proposal.upworkStatus}" on Upwork), ` +
        `for ${proposal.bidAmount} USD`,
    );
    count.add('proposalsSent');
    await this.checkSummary(count);
    return { ...proposal, upworkId };
  }

  private async exchangeMessages({ site, count }: Walk, upworkProposalId: string, job: Job): Promise<void> {
    await site.writeMessage(upworkProposalId, 'client', 'Two power plants? When can you start?');
    await this.synchronize('messages');
    const [message] = await this.listMessages(job);
    this.terminal.printSuccess(
      `a message arrives: ${message?.senderType}: "${message?.content}"  (${await this.countUnread(job)} unread)`,
    );
    count.add('answered');
    await this.checkSummary(count);
    await this.reply(job);
    await this.checkSummary(count);
  }

  /** Sends a reply, and checks that the room has it once. */
  private async reply(job: Job): Promise<void> {
    const { delivery } = await this.api.post<Message>('/v1/messages', { jobId: job.id, content: REPLY, send: true });
    this.assert(delivery === 'sent', `the reply is ${delivery}`);
    await this.synchronize('messages');
    const sent = (await this.listMessages(job)).filter(({ content }) => content === REPLY);
    this.assert(sent.length === 1, `the room has ${sent.length} replies`);
    this.terminal.printSuccess(`you reply: "${REPLY}" is ${delivery}, once  (${await this.countUnread(job)} unread)`);
  }

  private async acceptProposal(
    { site, count }: Walk,
    { id, upworkId }: Proposal & { upworkId: string },
  ): Promise<Proposal> {
    await site.hire(upworkId);
    await this.synchronize('proposals');
    const proposal = await this.api.get<Proposal>(`/v1/proposals/${id}`);
    this.assert(proposal.status === 'accepted', `proposal #${id} is ${proposal.status}`);
    this.terminal.printSuccess(
      `the client hires you: proposal #${id} is ${proposal.status} ("${proposal.upworkStatus}" on Upwork)`,
    );
    count.add('won');
    await this.checkSummary(count);
    await this.printSynchronizations();
    return proposal;
  }

  private async printSynchronizations(): Promise<void> {
    const { items } = await this.api.get<Page<Sync>>('/v1/syncs');
    const mine = items.filter(({ connectionId }) => connectionId === this.connection?.id);
    this.terminal.printTable([
      ['synchronised', 'status', 'last success', 'lag'],
      ...mine.map((s) => [s.kind, s.status, s.lastSuccessAt ?? 'never', `${s.lagSeconds ?? '?'} s`]),
    ]);
  }

  private async checkSummary(count: SummaryCount): Promise<void> {
    this.terminal.printLine(`the summary equals the count by hand: ${await count.check()}`);
  }

  /** Requests a synchronisation and waits for its end. */
  private async synchronize(kind: 'jobs' | 'proposals' | 'messages'): Promise<Sync> {
    const { items } = await this.api.post<Page<Sync>>(`/v1/${kind}/sync`);
    const requested = items.find(({ connectionId }) => connectionId === this.connection?.id);
    const until = Date.now() + SYNC_TIMEOUT_MS;
    for (;;) {
      const sync = await this.api.get<Sync>(`/v1/syncs/${requested?.id}`);
      if (sync.status === 'succeeded') return sync;
      this.assert(sync.status !== 'failed', `the synchronisation of ${kind} failed: ${sync.lastError}`);
      this.assert(
        sync.status !== 'postponed',
        `the synchronisation of ${kind} is postponed to ${sync.nextRunAt}: ` +
          "the day's calls to Upwork are used (UPWORK_CALLS_PER_DAY)",
      );
      this.assert(Date.now() < until, `the synchronisation of ${kind} does not end. Does a worker run?`);
      await sleep(100);
    }
  }

  private async listMessages(job: Job): Promise<readonly Message[]> {
    return (await this.api.get<Page<Message>>(`/v1/messages?jobId=${job.id}`)).items;
  }

  private async countUnread(job: Job): Promise<number> {
    return (await this.api.get<Page<Message>>(`/v1/messages?jobId=${job.id}&isRead=false`)).items.length;
  }

  private assert(isTrue: boolean, message: string): void {
    if (!isTrue) throw new Error(message);
  }
}
