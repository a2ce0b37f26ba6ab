import { Injectable } from '@nestjs/common';
import { UpworkJobsService } from '../jobs/upwork-jobs.service';
import { truncateToCodePoints } from '../platform/http/validation/text';
import { UpworkProposalsService, type UpworkProposalInput } from '../proposals/upwork-proposals.service';
import { VENDOR_PROPOSALS, type UpworkProposal } from '../upwork/upwork.documents';
import { readPages, type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { type SyncResult, SyncRun } from './sync-run';

const PAGE_SIZE = 50;
const MAX_PAGES = 20;
const MAX_COVER_LETTER_LENGTH = 20_000;

/**
 * Upwork's words for where a proposal stands. Its list is not published: one with another word was sent, which is all that
 * is known of it, and its word is kept beside that.
 */
const STATUS_BY_UPWORK_STATUS: Readonly<Record<string, UpworkProposalInput['status']>> = {
  PENDING: 'submitted',
  SUBMITTED: 'submitted',
  ACTIVATED: 'submitted',
  OFFERED: 'submitted',
  ACCEPTED: 'accepted',
  HIRED: 'accepted',
  DECLINED: 'rejected',
  REJECTED: 'rejected',
  WITHDRAWN: 'withdrawn',
  ARCHIVED: 'archived',
};

/** Lets the tenant's proposals follow those on Upwork. */
@Injectable()
export class ProposalsSyncService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly proposals: UpworkProposalsService,
    private readonly jobs: UpworkJobsService,
  ) {}

  /**
   * Reads all proposals, for any of them may have moved. One that cannot be stored leaves the others alone. Session: user,
   * a short unit each. @throws UpworkError when a page cannot be read or all proposals failed
   */
  async run(caller: UpworkCaller): Promise<SyncResult> {
    const figures = { created: 0, moved: 0, unchanged: 0, unknownJob: 0, unknownStatus: 0, failed: 0, unreadable: 0 };
    const run = new SyncRun();
    const read = async (after: string | null) =>
      (await this.upwork.call(VENDOR_PROPOSALS, { pagination: { after, first: PAGE_SIZE } }, caller)).vendorProposals;
    for await (const { nodes, unreadable } of readPages(MAX_PAGES, read)) {
      figures.unreadable += unreadable;
      for (const node of nodes) {
        await run.runPart(`proposal ${node.id}`, async () => {
          figures[await this.storeProposal(node, toProposalInput(node))] += 1;
          if (!STATUS_BY_UPWORK_STATUS[node.status.status.toUpperCase()]) figures.unknownStatus += 1;
        });
      }
      await this.proposals.markSeen(nodes.map(({ id }) => id));
    }
    figures.failed = run.failedCount;
    return { error: run.summarizeFailures(), isComplete: run.isComplete, figures };
  }

  /** A proposal for a vacancy that was never brought in brings in its title. */
  private async storeProposal(node: UpworkProposal, input: UpworkProposalInput) {
    const outcome = await this.proposals.updateStatus(input);
    const title = node.marketplaceJobPosting.content?.title;
    if (outcome !== 'unknownJob' || !title) return outcome;
    await this.jobs.store([{ upworkJobId: node.marketplaceJobPosting.id, title: truncateToCodePoints(title, 500) }]);
    return this.proposals.updateStatus(input);
  }
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
  const submittedAt = new Date(auditDetails?.createdDateTime ?? NaN);
  const bid = Number(terms?.chargeRate?.rawValue ?? 0);
  return {
    upworkProposalId: id,
    // The search names a vacancy by its ciphertext, which is its id behind one of two marks.
    upworkJobIds: [jobId, `~01${jobId}`, `~02${jobId}`],
    status: STATUS_BY_UPWORK_STATUS[status.status.toUpperCase()] ?? 'submitted',
    upworkStatus: truncateToCodePoints(status.status, 100) || null,
    submittedAt: Number.isNaN(submittedAt.getTime()) ? new Date() : submittedAt,
    coverLetter: proposalCoverLetter ? truncateToCodePoints(proposalCoverLetter, MAX_COVER_LETTER_LENGTH) : null,
    bidAmount: bid > 0 && bid < 1e8 ? bid.toFixed(2) : null,
    currency: terms?.chargeRate?.currency ?? 'USD',
  };
}
