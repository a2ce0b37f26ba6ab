import { Injectable } from '@nestjs/common';
import { FetchedJobs } from '../jobs/fetched-jobs.service';
import { firstCodePoints } from '../platform/http/text';
import { UpworkProposals, type KnownProposal } from '../proposals/upwork-proposals.service';
import { VENDOR_PROPOSALS, type UpworkProposal } from '../upwork/upwork.documents';
import { UpworkClient, type UpworkCaller } from '../upwork/upwork-client.service';
import { pagesOf } from './pages';
import { SyncParts } from './sync-parts';
import type { SyncResult } from './sync-values';

const PAGE = 50;
const MAX_PAGES = 20;
const MAX_COVER_LETTER = 20_000;

/**
 * Upwork's words for where a proposal stands. Its list is not published: one with another word was sent, which is all that
 * is known of it, and its word is kept beside that.
 */
const STATUSES: Readonly<Record<string, KnownProposal['status']>> = {
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
export class ProposalsSync {
  constructor(
    private readonly upwork: UpworkClient,
    private readonly proposals: UpworkProposals,
    private readonly jobs: FetchedJobs,
  ) {}

  /**
   * Reads all proposals, for any of them may have moved. One that cannot be stored leaves the others alone. Session: user,
   * a short unit each. @throws UpworkError when a page cannot be read or all proposals failed
   */
  async run(caller: UpworkCaller): Promise<SyncResult> {
    const figures = { created: 0, moved: 0, unchanged: 0, unknownJob: 0, unknownStatus: 0, failed: 0, unreadable: 0 };
    const parts = new SyncParts();
    const read = async (after: string | null) =>
      (await this.upwork.call(VENDOR_PROPOSALS, { pagination: { after, first: PAGE } }, caller)).vendorProposals;
    for await (const { nodes, unreadable } of pagesOf(MAX_PAGES, read)) {
      figures.unreadable += unreadable;
      for (const node of nodes) {
        await parts.run(`proposal ${node.id}`, async () => {
          figures[await this.follow(node, knownOf(node))] += 1;
          if (!STATUSES[node.status.status.toUpperCase()]) figures.unknownStatus += 1;
        });
      }
      await this.proposals.seen(nodes.map(({ id }) => id));
    }
    figures.failed = parts.failed;
    return { error: parts.summary(), isComplete: parts.isComplete, figures };
  }

  /** A proposal for a vacancy that was never brought in brings in its title. */
  private async follow(node: UpworkProposal, known: KnownProposal) {
    const outcome = await this.proposals.follow(known);
    const title = node.marketplaceJobPosting.content?.title;
    if (outcome !== 'unknownJob' || !title) return outcome;
    await this.jobs.store([{ upworkJobId: node.marketplaceJobPosting.id, title: firstCodePoints(title, 500) }]);
    return this.proposals.follow(known);
  }
}

function knownOf({
  id,
  marketplaceJobPosting,
  terms,
  proposalCoverLetter,
  auditDetails,
  status,
}: UpworkProposal): KnownProposal {
  const jobId = marketplaceJobPosting.id;
  const submittedAt = new Date(auditDetails?.createdDateTime ?? NaN);
  const bid = Number(terms?.chargeRate?.rawValue ?? 0);
  return {
    upworkProposalId: id,
    // The search names a vacancy by its ciphertext, which is its id behind one of two marks.
    upworkJobIds: [jobId, `~01${jobId}`, `~02${jobId}`],
    status: STATUSES[status.status.toUpperCase()] ?? 'submitted',
    upworkStatus: firstCodePoints(status.status, 100) || null,
    submittedAt: Number.isNaN(submittedAt.getTime()) ? new Date() : submittedAt,
    coverLetter: proposalCoverLetter ? firstCodePoints(proposalCoverLetter, MAX_COVER_LETTER) : null,
    bidAmount: bid > 0 && bid < 1e8 ? bid.toFixed(2) : null,
    currency: terms?.chargeRate?.currency ?? 'USD',
  };
}
