import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import type { EntityRepository } from '../platform/database/entity-repository';
import { Proposal } from './proposal.entity';
import type { ProposalStatus } from './proposal-status';

/** A proposal as Upwork returns it. */
export interface UpworkProposalInput {
  readonly upworkProposalId: string;
  /** Upwork's number of the job. */
  readonly upworkJobNumber: string;
  readonly status: Exclude<ProposalStatus, 'draft'>;
  /** Upwork's own status. */
  readonly upworkStatus: string | null;
  /** Why it was declined or withdrawn. */
  readonly upworkReason: string | null;
  readonly submittedAt: Date;
  /** When it last changed on Upwork; the nearest to the time of its status that Upwork shows. */
  readonly changedAt: Date | null;
  readonly coverLetter: string | null;
  readonly bidAmount: string | null;
  readonly bidType: 'fixed' | 'hourly' | null;
  readonly currency: string;
}

/** The result for one proposal. */
export type StatusUpdateOutcome = 'created' | 'moved' | 'unchanged' | 'unknownJob';

/**
 * Order of the statuses. A synchronisation moves a proposal only forward, so an archived one stays archived, unless the
 * client decides after all.
 */
const RANK: Readonly<Record<ProposalStatus, number>> = {
  draft: 0,
  submitted: 1,
  withdrawn: 2,
  rejected: 2,
  accepted: 3,
  archived: 4,
};

interface Match {
  readonly jobId: number;
  readonly jobType: 'fixed' | 'hourly' | null;
  readonly proposalId: number | null;
}

/** The jobs with the number $1. Earlier versions stored the number as the id. */
const WITH_NUMBER = `j.upwork_job_number = $1 OR j.source_key IN ('upwork:' || $1, 'upwork:~02' || $1)`;

/** Waits for other synchronisations that store a proposal for the job, or merge the job with another. */
const LOCK_JOB = `SELECT FROM jobs j WHERE ${WITH_NUMBER} ORDER BY j.id FOR NO KEY UPDATE`;

/**
 * Finds the proposal $2, or the user's open one for the job with the number $1 that has no Upwork id yet. One that was
 * written after the proposal was sent at $3 is for another one. But the user may have recorded it as submitted a few
 * minutes later, or at any time if its status $4 is still that. A known proposal is found also when the user changed
 * the id of its job.
 */
const MATCH = `
  SELECT j.id AS "jobId", j.job_type AS "jobType", p.id AS "proposalId"
  FROM jobs j
  LEFT JOIN proposals p ON p.job_id = j.id
    AND (p.upwork_proposal_id = $2 OR (p.upwork_proposal_id IS NULL
      AND ((p.status = 'draft' AND p.created_at <= $3)
        OR (p.status = 'submitted' AND ($4 = 'submitted' OR p.created_at - interval '10 minutes' <= $3)))))
  WHERE ${WITH_NUMBER} OR j.id = (SELECT known.job_id FROM proposals known WHERE known.upwork_proposal_id = $2)
  ORDER BY p.upwork_proposal_id IS NULL, p.id, j.upwork_job_number, j.id LIMIT 1`;

/** Updates when proposals were last found, at most once an hour to save writes. */
const SEEN = `
  UPDATE proposals SET fetched_at = now()
  WHERE upwork_proposal_id = ANY ($1) AND (fetched_at IS NULL OR fetched_at < now() - interval '1 hour')`;

/** Applies the changes of proposals on Upwork. */
@Injectable()
export class UpworkProposalsService {
  constructor(private readonly database: Database) {}

  /**
   * Updates one proposal to its status on Upwork. A draft that was submitted there gets the sent content; an unknown
   * proposal is created. One transaction; at most one audit row.
   */
  updateStatus(known: UpworkProposalInput): Promise<StatusUpdateOutcome> {
    return this.database.transaction(async (unit) => {
      const { upworkProposalId: id, submittedAt, status } = known;
      const [, [match]] = await Promise.all([
        unit.query(LOCK_JOB, [known.upworkJobNumber]),
        unit.query<Match>(MATCH, [known.upworkJobNumber, id, submittedAt, status]),
      ]);
      if (!match) return 'unknownJob';
      const proposals = unit.repository(Proposal);
      // The user may delete the draft in between.
      const proposal = match.proposalId === null ? null : await proposals.find(match.proposalId, { lock: true });
      if (proposal) return this.applyStatus(proposals, proposal, known);
      const { upworkJobNumber: _, changedAt: upworkChangedAt, bidType, ...fields } = known;
      await proposals.insert({ ...fields, upworkChangedAt, jobId: match.jobId, bidType: bidType ?? match.jobType });
      return 'created';
    });
  }

  /** Records that Upwork still has these proposals. One statement; no audit row, because nothing else changes. */
  async markSeen(upworkProposalIds: readonly string[]): Promise<void> {
    await this.database.query(SEEN, [upworkProposalIds]);
  }

  private async applyStatus(
    proposals: EntityRepository<Proposal>,
    proposal: Proposal,
    known: UpworkProposalInput,
  ): Promise<StatusUpdateOutcome> {
    const isAhead = RANK[known.status] > RANK[proposal.status] || isDecidedSince(known, proposal);
    const isNews = isAhead || known.upworkStatus !== proposal.upworkStatus;
    const changed = await proposals.update(proposal, {
      upworkProposalId: known.upworkProposalId,
      upworkStatus: known.upworkStatus,
      upworkReason: known.upworkReason,
      ...(isAhead && { status: known.status }),
      ...(isNews && { upworkChangedAt: known.changedAt }),
      ...(proposal.status === 'draft' && {
        submittedAt: known.submittedAt,
        coverLetter: known.coverLetter ?? proposal.coverLetter,
        bidAmount: known.bidAmount ?? proposal.bidAmount,
        bidType: known.bidType ?? proposal.bidType,
        currency: known.bidAmount === null ? proposal.currency : known.currency,
      }),
    });
    return changed.version === proposal.version ? 'unchanged' : 'moved';
  }
}

/** Returns whether the client decided on a proposal that was archived while it was open, or hired after a decline. */
function isDecidedSince({ status }: UpworkProposalInput, { wonAt, rejectedAt, ...proposal }: Proposal): boolean {
  if (proposal.status !== 'archived' || wonAt !== null) return false;
  return status === 'accepted' || (status === 'rejected' && rejectedAt === null);
}
