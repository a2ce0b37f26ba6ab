import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn, MoneyColumn } from '../platform/database/base.entity';
import type { ProposalStatus } from './proposal-status';

/** An offer for a job. Only the steps of proposal-status.ts change its status. */
@Entity('proposals')
export class Proposal extends BaseEntity {
  @Column('bigint', { name: 'job_id' })
  jobId: number;

  /** Upwork's id, set by the synchronisation. */
  @Column('text', { name: 'upwork_proposal_id', nullable: true })
  upworkProposalId: string | null;

  /** Upwork's own status; `status` is its equivalent here. */
  @Column('text', { name: 'upwork_status', nullable: true })
  upworkStatus: string | null;

  /** Why it was declined or withdrawn, in the words of Upwork. */
  @Column('text', { name: 'upwork_reason', nullable: true })
  upworkReason: string | null;

  /** When its status last changed on Upwork, as far as Upwork shows it. */
  @InstantColumn('upwork_changed_at', { nullable: true })
  upworkChangedAt: Date | null;

  @Column('text', { name: 'cover_letter', nullable: true })
  coverLetter: string | null;

  @MoneyColumn('bid_amount')
  bidAmount: string | null;

  @Column('text', { name: 'bid_type', nullable: true })
  bidType: 'fixed' | 'hourly' | null;

  @Column('text', { default: 'USD' })
  currency: string;

  @Column('text', { default: 'draft' })
  status: ProposalStatus;

  /** Null for a draft, set for every other status. */
  @InstantColumn('submitted_at', { nullable: true })
  submittedAt: Date | null;

  /** Set by PostgreSQL when the proposal is accepted. */
  @InstantColumn('won_at', { nullable: true, insert: false, update: false })
  readonly wonAt: Date | null;

  /** Set by PostgreSQL when the proposal is rejected. */
  @InstantColumn('rejected_at', { nullable: true, insert: false, update: false })
  readonly rejectedAt: Date | null;

  /** When a synchronisation last found it. An update of it is not a change of the proposal. */
  @InstantColumn('fetched_at', { nullable: true, insert: false, update: false })
  readonly fetchedAt: Date | null;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}
