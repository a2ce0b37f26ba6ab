import { Injectable } from '@nestjs/common';
import { UpworkJobsService } from '../jobs/upwork-jobs.service';
import { truncateToCodePoints } from '../platform/http/validation/fields';
import {
  UpworkProposalsService,
  type StatusUpdateOutcome,
  type UpworkProposalInput,
} from '../proposals/upwork-proposals.service';
import { UpworkAccountService } from '../tokens/upwork-account.service';
import {
  PROPOSAL_LISTS,
  PROPOSALS_PER_PAGE,
  VENDOR_PROPOSALS,
  type UpworkProposal,
} from '../upwork/documents/proposals.documents';
import {
  readPages,
  type ConnectionPage,
  type UpworkCaller,
  UpworkClientService,
} from '../upwork/upwork-client.service';
import { readPrice } from './job-facts';
import {
  type ListPosition,
  type ListPositions,
  MAX_INCOMPLETE_RUNS,
  type SyncCaller,
  type SyncResult,
  SyncRun,
} from './sync-run';

/** Ends a list whose cursors never end. */
const MAX_PAGES_PER_LIST = 500;

/** A list is read whole once in this time, and otherwise until its changes are known. */
const WHOLE_EVERY_MS = 86_400_000;

/** Clocks differ, and a change may become visible late. */
const OVERLAP_MS = 300_000;

/** Upwork does not show the title of a private job. */
const PRIVATE_JOB_TITLE = 'Private job on Upwork';

const MAX_COVER_LETTER_LENGTH = 20_000;

/**
 * Upwork's statuses of a proposal that was sent, in capitals. `Accepted` means sent and valid: only `Hired` is won. An
 * unknown status counts as submitted and is stored beside it.
 */
const STATUS_BY_UPWORK_STATUS: Readonly<Record<string, UpworkProposalInput['status']>> = {
  ACCEPTED: 'submitted',
  ACTIVATED: 'submitted',
  OFFERED: 'submitted',
  HIRED: 'accepted',
  DECLINED: 'rejected',
  REJECTED: 'rejected',
  WITHDRAWN: 'withdrawn',
  REPLACED: 'withdrawn',
  ARCHIVED: 'archived',
};

/** Statuses, in capitals, of proposals that did not reach the client. A draft of one remains a draft. */
const NOT_SENT = new Set(['CREATED', 'PENDING', 'INVALID']);

type CountName = StatusUpdateOutcome | 'unknownStatus' | 'notSent' | 'ofTeamMates' | 'failed' | 'failedLists';
type Counts = Record<CountName | 'unreadable', number>;

const NO_COUNTS: Counts = {
  ...{ created: 0, moved: 0, unchanged: 0, unknownJob: 0, unknownStatus: 0 },
  ...{ notSent: 0, ofTeamMates: 0, failed: 0, failedLists: 0, unreadable: 0 },
};

const NEVER_READ: ListPosition = { readUntil: null, readWholeAt: null, incompleteRuns: 0 };

type ProposalsPage = ConnectionPage<UpworkProposal> & { readonly isWorthRepeating: boolean };

/** State of one run. */
interface Reading {
  readonly caller: UpworkCaller;
  readonly run: SyncRun;
  readonly counts: Counts;
  /** The user's own id; the lists of an agency contain proposals of team mates. */
  readonly upworkUserId: string;
  /** Proposals that were already found: a proposal can be in several lists. */
  readonly known: Set<string>;
}

/** Updates proposals from Upwork. */
@Injectable()
export class ProposalsSyncService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly proposals: UpworkProposalsService,
    private readonly jobs: UpworkJobsService,
    private readonly accounts: UpworkAccountService,
  ) {}

  /**
   * Reads the changes in every list. A list or proposal that fails does not affect the others. Session: user, one short
   * unit each.
   * @param positions how far each list was read; updated
   * @throws UpworkError when the own id cannot be read or everything failed
   */
  async run(caller: SyncCaller, positions: ListPositions): Promise<SyncResult> {
    const run = new SyncRun(caller.stop);
    const upworkUserId = await this.accounts.findUserId(caller.tokenId, caller);
    const reading: Reading = { caller, run, counts: { ...NO_COUNTS }, upworkUserId, known: new Set() };
    for (const list of PROPOSAL_LISTS) {
      if (run.isStopped) break;
      const reason = await run.runPart(`list ${list}`, async () => {
        positions[list] = await this.readList(list, positions[list] ?? NEVER_READ, reading);
      });
      if (reason === null) continue;
      reading.counts.failedLists += 1;
      // Its cursor can be the cause.
      if (positions[list]?.rest) positions[list] = { ...positions[list], rest: undefined };
    }
    return run.finish(reading.counts);
  }

  /** Reads a list from its latest change, or from where a run ended early, to a known change. */
  private async readList(list: string, position: ListPosition, reading: Reading): Promise<ListPosition> {
    const { rest, ...before } = position;
    const startedAt = rest?.startedAt ?? new Date().toISOString();
    const isWhole = !(Date.parse(before.readWholeAt ?? '') >= Date.parse(startedAt) - WHOLE_EVERY_MS);
    const knownBefore = isWhole ? 0 : Date.parse(before.readUntil ?? '') - OVERLAP_MS;
    let latest = rest?.latest ?? (Date.parse(before.readUntil ?? '') || 0);
    let isComplete = rest?.isComplete ?? true;
    for await (const page of this.readPages(list, reading, rest?.after)) {
      isComplete = (await this.storePage(page, reading)) && isComplete;
      const times = page.nodes.flatMap((node) => readChangedAt(node)?.getTime() ?? []);
      latest = Math.max(latest, ...times);
      if (times.some((time) => time < knownBefore)) break;
      if (reading.run.isStopped && page.next !== null)
        return { ...before, rest: { after: page.next, startedAt, latest, isComplete } };
    }
    if (!isComplete && before.incompleteRuns < MAX_INCOMPLETE_RUNS)
      return { ...before, incompleteRuns: before.incompleteRuns + 1 };
    const readWholeAt = isWhole ? startedAt : before.readWholeAt;
    return { readUntil: new Date(latest).toISOString(), readWholeAt, incompleteRuns: 0 };
  }

  private async *readPages(list: string, { caller, run }: Reading, from?: string): AsyncGenerator<ProposalsPage> {
    let isWorthRepeating = false;
    const read = async (after?: string) => {
      const variables = { status: list, pagination: { after, first: PROPOSALS_PER_PAGE } };
      const answer = await this.upwork.call(VENDOR_PROPOSALS, variables, caller);
      ({ isWorthRepeating } = answer);
      return run.read(answer).vendorProposals;
    };
    for await (const page of readPages(MAX_PAGES_PER_LIST, read, from)) yield { ...page, isWorthRepeating };
  }

  /** Stores the proposals of a page. Returns whether every one could be read and stored. */
  private async storePage({ nodes, unreadable, isWorthRepeating }: ProposalsPage, reading: Reading): Promise<boolean> {
    const { run, counts, known } = reading;
    const found = nodes.filter(({ id }) => !known.has(id) && known.add(id));
    const own = found.filter(({ user }) => user.id === reading.upworkUserId);
    const reasons: (string | null)[] = [];
    for (const node of own) reasons.push(await run.runPart(`proposal ${node.id}`, () => this.storeNode(node, counts)));
    const failed = reasons.filter((reason) => reason !== null).length;
    counts.failed += failed;
    counts.unreadable += unreadable;
    counts.ofTeamMates += found.length - own.length;
    await this.proposals.markSeen(own.map(({ id }) => id));
    return failed === 0 && unreadable === 0 && !isWorthRepeating;
  }

  private async storeNode(node: UpworkProposal, counts: Counts): Promise<void> {
    const upworkStatus = node.status.status.toUpperCase();
    if (NOT_SENT.has(upworkStatus)) {
      counts.notSent += 1;
      return;
    }
    counts[await this.storeProposal(node, toProposalInput(node))] += 1;
    if (!STATUS_BY_UPWORK_STATUS[upworkStatus]) counts.unknownStatus += 1;
  }

  /** Stores a proposal. An unknown job is first stored with its title only. */
  private async storeProposal(node: UpworkProposal, input: UpworkProposalInput) {
    const outcome = await this.proposals.updateStatus(input);
    if (outcome !== 'unknownJob') return outcome;
    const title = node.marketplaceJobPosting.content?.title.trim() || PRIVATE_JOB_TITLE;
    await this.jobs.storeMissing(node.marketplaceJobPosting.id, truncateToCodePoints(title, 500));
    return this.proposals.updateStatus(input);
  }
}

function readChangedAt({ auditDetails }: UpworkProposal): Date | null {
  return auditDetails.modifiedDateTime?.rawValue ?? null;
}

function toProposalInput(node: UpworkProposal): UpworkProposalInput {
  const { id, marketplaceJobPosting, proposalCoverLetter, auditDetails, status } = node;
  return {
    upworkProposalId: id,
    upworkJobNumber: marketplaceJobPosting.id,
    status: STATUS_BY_UPWORK_STATUS[status.status.toUpperCase()] ?? 'submitted',
    upworkStatus: truncateToCodePoints(status.status, 100) || null,
    upworkReason: readReason(node),
    submittedAt: auditDetails.createdDateTime.rawValue,
    // Without a change since, its status is as old as the proposal.
    changedAt: readChangedAt(node) ?? auditDetails.createdDateTime.rawValue,
    coverLetter: proposalCoverLetter ? truncateToCodePoints(proposalCoverLetter, MAX_COVER_LETTER_LENGTH) : null,
    ...readBid(node),
  };
}

function readReason({ status: { reason } }: UpworkProposal): string | null {
  const texts = [reason?.reason, reason?.description].flatMap((each) => each?.trim() || []);
  return truncateToCodePoints(texts.join(': '), 1_000) || null;
}

/** Reads the bid. Only a fixed price has an upfront payment. */
function readBid({ terms }: UpworkProposal): Pick<UpworkProposalInput, 'bidAmount' | 'bidType' | 'currency'> {
  return {
    bidAmount: readPrice(terms?.chargeRate?.rawValue),
    bidType: terms ? (typeof terms.upfrontPaymentPercent === 'number' ? 'fixed' : 'hourly') : null,
    currency: terms?.chargeRate?.currency ?? 'USD',
  };
}
