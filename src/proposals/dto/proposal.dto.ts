import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';
import type { Proposal } from '../proposal.entity';
import { PROPOSAL_STATUSES, type ProposalStatus } from '../proposal-status';

/** A proposal as the API shows it. */
export class ProposalDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 7 })
  id: number;

  @ApiProperty({ type: 'integer', description: 'The job it is for.', example: 42 })
  jobId: number;

  @ApiProperty({ type: String, nullable: true, description: "Upwork's id of it, once known.", example: null })
  upworkProposalId: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "Upwork's own word for where it stands, as last heard; status is what it means here.",
    example: null,
  })
  upworkStatus: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The text the client reads.',
    example: 'I have built three such pipelines.',
  })
  coverLetter: string | null;

  @ApiAmount({ nullable: true, description: 'The bid.', example: '45.00' })
  bidAmount: string | null;

  @ApiProperty({ enum: ['fixed', 'hourly'], nullable: true, description: 'What the bid is for.', example: 'hourly' })
  bidType: 'fixed' | 'hourly' | null;

  @ApiProperty({ type: String, description: 'ISO 4217 code of the bid.', example: 'USD' })
  currency: string;

  @ApiProperty({ enum: PROPOSAL_STATUSES, description: 'The status.', example: 'draft' })
  status: ProposalStatus;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it was submitted.',
    example: null,
  })
  submittedAt: Date | null;

  @ApiProperty({ type: 'integer', description: 'Counts its changes; its ETag.', example: 1 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was made.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it last changed.',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Shows a row of the table. */
  static from(this: void, proposal: Proposal): ProposalDto {
    return {
      id: proposal.id,
      jobId: proposal.jobId,
      upworkProposalId: proposal.upworkProposalId,
      upworkStatus: proposal.upworkStatus,
      coverLetter: proposal.coverLetter,
      bidAmount: proposal.bidAmount,
      bidType: proposal.bidType,
      currency: proposal.currency,
      status: proposal.status,
      submittedAt: proposal.submittedAt,
      version: proposal.version,
      createdAt: proposal.createdAt,
      updatedAt: proposal.updatedAt,
    };
  }
}
