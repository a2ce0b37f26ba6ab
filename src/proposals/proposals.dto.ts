import { ApiProperty, ApiPropertyOptional, OmitType, PartialType } from '@nestjs/swagger';
import { IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { IntegerParam, ListParam, NullableField, OptionalField } from '../platform/http/validation/fields';
import { ApiAmount, MoneyField } from '../platform/http/validation/money-field';
import { NullableTextField } from '../platform/http/validation/text';
import { PageQueryDto } from '../platform/http/pagination/page.dto';
import { PROPOSAL_STATUSES, type ProposalStatus } from './proposal-status';
import type { Proposal } from './proposal.entity';

/** Longest cover letter; the CHECK of proposals.cover_letter says the same. */
const MAX_COVER_LETTER = 20_000;

/** What a new draft is made of. */
export class CreateProposalDto {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'The job it is for: one of your own, not deleted.',
    example: 42,
  })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  jobId: number;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: MAX_COVER_LETTER,
    description: 'The text the client reads; needed to submit.',
    example: 'I have built three such pipelines, the last one in two weeks.',
  })
  @NullableTextField(MAX_COVER_LETTER)
  coverLetter?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'What you ask for, in `currency`: the whole price, or the price of an hour; needed to submit.',
    example: '45.00',
  })
  @NullableField()
  @MoneyField()
  bidAmount?: string | null;

  @ApiPropertyOptional({
    type: String,
    enum: ['fixed', 'hourly'],
    nullable: true,
    description: 'Whether the bid is for the whole job or for an hour; needed to submit.',
    example: 'hourly',
  })
  @NullableField()
  @IsIn(['fixed', 'hourly'])
  bidType?: 'fixed' | 'hourly' | null;

  @ApiPropertyOptional({
    type: String,
    description: 'ISO 4217 code of the bid. A new proposal without one gets USD.',
    example: 'USD',
  })
  @OptionalField()
  @IsString()
  @Matches(/^[A-Z]{3}$/, { message: 'currency must be three capital letters such as USD' })
  currency?: string;
}

/** A merge patch of a draft; the job it is for stays. */
export class UpdateProposalDto extends PartialType(OmitType(CreateProposalDto, ['jobId']), {
  skipNullProperties: false,
}) {}

/** The orders a list of proposals comes in. */
export const PROPOSAL_SORTS = ['-createdAt', 'createdAt', '-updatedAt', 'updatedAt'] as const;

/** Filters and sort of the list of proposals. */
export class ListProposalsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only those for this job.', example: 42 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  jobId?: number;

  @ApiPropertyOptional({
    enum: PROPOSAL_STATUSES,
    isArray: true,
    description: 'Only those in one of these statuses; repeat it or use commas.',
    example: ['submitted', 'accepted'],
  })
  @ListParam()
  @IsIn(PROPOSAL_STATUSES, { each: true })
  status?: ProposalStatus[];

  @ApiPropertyOptional({
    enum: PROPOSAL_SORTS,
    default: '-createdAt',
    description: 'The order; a minus means latest first.',
    example: '-createdAt',
  })
  @OptionalField()
  @IsIn(PROPOSAL_SORTS)
  sort: (typeof PROPOSAL_SORTS)[number] = '-createdAt';
}

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
