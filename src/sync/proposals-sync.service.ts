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
 * Upwork's statuses of a proposal. The full list is not published: an unknown status counts as submitted and is stored
 * beside it.
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
    const counts = { created: 0, moved: 0, unchanged: 0, unknownJob: 0, unknownStatus: 0, failed: 0, unreadable: 0 };
    const run = new SyncRun();
    const read = async (after: string | null) =>
      (await this.upwork.call(VENDOR_PROPOSALS, { pagination: { after, first: PAGE_SIZE } }, caller)).vendorProposals;
    for await (const { nodes, unreadable } of readPages(MAX_PAGES, read)) {
      counts.unreadable += unreadable;
      for (const node of nodes) {
        await run.runPart(`proposal ${node.id}`, async () => {
          counts[await this.storeProposal(node, toProposalInput(node))] += 1;
          if (!STATUS_BY_UPWORK_STATUS[node.status.status.toUpperCase()]) counts.unknownStatus += 1;
        });
      }
      await this.proposals.markSeen(nodes.map(({ id }) => id));
    }
    counts.failed = run.failedCount;
    return { error: run.summarizeFailures(), isComplete: run.isComplete, counts };
  }

  /** Stores a proposal; if its job is unknown, the job is first imported with its title only. */
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
    // The search identifies a job by its ciphertext: its id after one of two prefixes.
    upworkJobIds: [jobId, `~01${jobId}`, `~02${jobId}`],
    status: STATUS_BY_UPWORK_STATUS[status.status.toUpperCase()] ?? 'submitted',
    upworkStatus: truncateToCodePoints(status.status, 100) || null,
    submittedAt: Number.isNaN(submittedAt.getTime()) ? new Date() : submittedAt,
    coverLetter: proposalCoverLetter ? truncateToCodePoints(proposalCoverLetter, MAX_COVER_LETTER_LENGTH) : null,
    bidAmount: bid > 0 && bid < 1e8 ? bid.toFixed(2) : null,
    currency: terms?.chargeRate?.currency ?? 'USD',
  };
}
