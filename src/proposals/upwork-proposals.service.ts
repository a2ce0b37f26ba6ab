import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { Proposal } from './proposal.entity';
import type { ProposalStatus } from './proposal-status';

/** What Upwork knows of a proposal. */
export interface UpworkProposalInput {
  readonly upworkProposalId: string;
  /** The forms in which Upwork names its vacancy. */
  readonly upworkJobIds: readonly string[];
  readonly status: Exclude<ProposalStatus, 'draft'>;
  /** Upwork's own word for that. */
  readonly upworkStatus: string | null;
  readonly submittedAt: Date;
  readonly coverLetter: string | null;
  readonly bidAmount: string | null;
  readonly currency: string;
}

/** What became of one. */
export type StatusUpdateOutcome = 'created' | 'moved' | 'unchanged' | 'unknownJob';

/** How far along a proposal is: Upwork moves it forward, never back; what the user archived stays archived. */
const RANK: Readonly<Record<ProposalStatus, number>> = {
  draft: 0,
  submitted: 1,
  withdrawn: 2,
  rejected: 2,
  accepted: 3,
  archived: 4,
};

/** The proposal itself, or the user's open one for the same vacancy that Upwork does not know yet. */
const MATCH = `
  SELECT j.id AS "jobId", j.job_type AS "jobType", p.id AS "proposalId"
  FROM jobs j
  LEFT JOIN proposals p ON p.job_id = j.id
    AND (p.upwork_proposal_id = $1 OR (p.upwork_proposal_id IS NULL AND p.status IN ('draft', 'submitted')))
  WHERE j.upwork_job_id = ANY ($2)
  ORDER BY p.upwork_proposal_id IS NULL, p.id LIMIT 1`;

/** Within the hour is near enough, and spares the writes. */
const SEEN = `
  UPDATE proposals SET fetched_at = now()
  WHERE upwork_proposal_id = ANY ($1) AND (fetched_at IS NULL OR fetched_at < now() - interval '1 hour')`;

/** Lets proposals follow what happens to them on Upwork. */
@Injectable()
export class UpworkProposalsService {
  constructor(private readonly database: Database) {}

  /**
   * Brings one proposal to where it stands on Upwork: a draft that was submitted there moves on by itself and says what
   * was sent; one that is unknown here is made. One unit of work; at most one audit row.
   */
  updateStatus(known: UpworkProposalInput): Promise<StatusUpdateOutcome> {
    return this.database.transaction(async (unit) => {
      const [match] = await unit.query<{
        jobId: number;
        jobType: 'fixed' | 'hourly' | null;
        proposalId: number | null;
      }>(MATCH, [known.upworkProposalId, known.upworkJobIds]);
      if (!match) return 'unknownJob';
      if (match.proposalId !== null) return this.applyStatus(unit, match.proposalId, known);
      const { upworkProposalId, upworkStatus, status, submittedAt, coverLetter, bidAmount, currency } = known;
      const { jobId, jobType: bidType } = match;
      await unit.repository(Proposal).insert({
        jobId,
        upworkProposalId,
        upworkStatus,
        status,
        submittedAt,
        coverLetter,
        bidAmount,
        bidType,
        currency,
      });
      return 'created';
    });
  }

  /** Notes that Upwork has these proposals still. One statement; no audit row, for nothing of them changed. */
  async markSeen(upworkProposalIds: readonly string[]): Promise<void> {
    await this.database.query(SEEN, [upworkProposalIds]);
  }

  private async applyStatus(unit: UnitOfWork, id: number, known: UpworkProposalInput): Promise<StatusUpdateOutcome> {
    const proposals = unit.repository(Proposal);
    const proposal = await proposals.find(id, { lock: true });
    if (!proposal) return 'unchanged';
    const isAhead = RANK[known.status] > RANK[proposal.status];
    const changed = await proposals.update(proposal, {
      upworkProposalId: known.upworkProposalId,
      upworkStatus: known.upworkStatus,
      ...(isAhead && { status: known.status }),
      ...(proposal.status === 'draft' && {
        submittedAt: known.submittedAt,
        coverLetter: known.coverLetter ?? proposal.coverLetter,
        bidAmount: known.bidAmount ?? proposal.bidAmount,
        currency: known.bidAmount === null ? proposal.currency : known.currency,
      }),
    });
    return changed.version === proposal.version ? 'unchanged' : 'moved';
  }
}
