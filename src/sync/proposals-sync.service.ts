import { Injectable } from '@nestjs/common';
import { UpworkJobsService } from '../jobs/upwork-jobs.service';
import { truncateToCodePoints } from '../platform/http/validation/text';
import {
  UpworkProposalsService,
  type StatusUpdateOutcome,
  type UpworkProposalInput,
} from '../proposals/upwork-proposals.service';
import {
  PROPOSAL_LISTS,
  PROPOSALS_PER_PAGE,
  VENDOR_PROPOSALS,
  type UpworkProposal,
} from '../upwork/documents/proposals.documents';
import { readPages, type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { type SyncResult, SyncRun } from './sync-run';

const MAX_PAGES_PER_LIST = 50;
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

type Counts = Record<StatusUpdateOutcome | 'unknownStatus' | 'notSent' | 'failed' | 'unreadable', number>;

/** Updates proposals from Upwork. */
@Injectable()
export class ProposalsSyncService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly proposals: UpworkProposalsService,
    private readonly jobs: UpworkJobsService,
  ) {}

  /**
   * Reads all proposals, since any may have changed. A failed one does not affect the others. Session: user, one short
   * unit each.
   * @throws UpworkError when a page cannot be read or all proposals failed
   */
  async run(caller: UpworkCaller): Promise<SyncResult> {
    const sent = { created: 0, moved: 0, unchanged: 0, unknownJob: 0, unknownStatus: 0 };
    const counts: Counts = { ...sent, notSent: 0, failed: 0, unreadable: 0 };
    const run = new SyncRun();
    for await (const { nodes, unreadable } of this.readAll(caller, run)) {
      counts.unreadable += unreadable;
      for (const node of nodes) {
        await run.runPart(`proposal ${node.id}`, () => this.storeNode(node, counts));
      }
      await this.proposals.markSeen(nodes.map(({ id }) => id));
    }
    counts.failed = run.failedCount;
    return run.finish(counts);
  }

  /** Reads the pages of all lists. A proposal can be in several lists; only its first occurrence is returned. */
  private async *readAll(
    caller: UpworkCaller,
    run: SyncRun,
  ): AsyncGenerator<{ nodes: UpworkProposal[]; unreadable: number }> {
    const known = new Set<string>();
    for (const status of PROPOSAL_LISTS) {
      const read = async (after?: string) => {
        const variables = { status, pagination: { after, first: PROPOSALS_PER_PAGE } };
        return run.read(await this.upwork.call(VENDOR_PROPOSALS, variables, caller)).vendorProposals;
      };
      for await (const { nodes, unreadable } of readPages(MAX_PAGES_PER_LIST, read)) {
        const found = nodes.filter(({ id }) => !known.has(id));
        for (const { id } of found) known.add(id);
        yield { nodes: found, unreadable };
      }
    }
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

  /** Stores a proposal; if its job is unknown, the job is first imported with its title only. */
  private async storeProposal(node: UpworkProposal, input: UpworkProposalInput) {
    const outcome = await this.proposals.updateStatus(input);
    const title = node.marketplaceJobPosting.content?.title;
    if (outcome !== 'unknownJob' || !title) return outcome;
    const upworkJobId = buildCiphertext(node.marketplaceJobPosting.id);
    await this.jobs.store([{ upworkJobId, title: truncateToCodePoints(title, 500) }]);
    return this.proposals.updateStatus(input);
  }
}

/** Builds the id by which the search identifies a job. */
function buildCiphertext(jobId: string): string {
  return `~02${jobId}`;
}

function toProposalInput({
  id,
  marketplaceJobPosting,
  terms,
  proposalCoverLetter,
  auditDetails,
  status,
}: UpworkProposal): UpworkProposalInput {
  const jobId = marketplaceJobPosting.id;
  const bid = Number(terms?.chargeRate?.rawValue ?? 0);
  return {
    upworkProposalId: id,
    // Earlier versions stored the id alone.
    upworkJobIds: [jobId, buildCiphertext(jobId)],
    status: STATUS_BY_UPWORK_STATUS[status.status.toUpperCase()] ?? 'submitted',
    upworkStatus: truncateToCodePoints(status.status, 100) || null,
    submittedAt: auditDetails.createdDateTime.rawValue,
    coverLetter: proposalCoverLetter ? truncateToCodePoints(proposalCoverLetter, MAX_COVER_LETTER_LENGTH) : null,
    bidAmount: bid > 0 && bid < 1e8 ? bid.toFixed(2) : null,
    currency: terms?.chargeRate?.currency ?? 'USD',
  };
}
