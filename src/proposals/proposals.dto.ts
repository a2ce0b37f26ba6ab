import { ApiProperty, OmitType, PartialType } from '@nestjs/swagger';
import { ApiId, ApiInstant, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import { IsString, Matches } from 'class-validator';
import { PageQueryDto } from '../platform/http/pagination/page.dto';
import { PROPOSAL_STATUSES, type ProposalStatus } from './proposal-status';
import { EnumField, Field, IdField, TextField } from '../platform/http/validation/fields';
import { EnumListParam, IdParam } from '../platform/http/validation/query-params';
import { MoneyField } from '../platform/http/validation/money-field';
import { Sensitive } from '../platform/logging/sensitive-fields';

/** Limit of a cover letter, equal to the CHECK of proposals.cover_letter. */
const MAX_COVER_LETTER = 20_000;

/** Body of POST /v1/proposals. */
export class CreateProposalDto {
  @IdField({ description: 'Id of the job. A new proposal needs one that is not deleted.', example: 42 })
  jobId: number;

  @TextField({
    max: MAX_COVER_LETTER,
    nullable: true,
    description: 'Text for the client; required to submit.',
    example: 'I have built three such pipelines, the last one in two weeks.',
  })
  @Sensitive()
  coverLetter?: string | null;

  @MoneyField({
    nullable: true,
    description: 'Your price in `currency`, for the whole job or for an hour; required to submit.',
    example: '45.00',
  })
  bidAmount?: string | null;

  @EnumField(['fixed', 'hourly'], {
    nullable: true,
    description: 'Unit of the bid: the whole job or an hour; required to submit.',
    example: 'hourly',
  })
  bidType?: 'fixed' | 'hourly' | null;

  @Field(
    { type: String },
    {
      optional: true,
      description: 'Currency of the bid, ISO 4217. The default for a new proposal is USD.',
      example: 'USD',
    },
    IsString(),
    Matches(/^[A-Z]{3}$/, { message: 'currency must be three capital letters such as USD' }),
  )
  currency?: string;
}

/** Body of PATCH /v1/proposals/:id, a JSON merge patch. The job cannot change. */
export class UpdateProposalDto extends PartialType(OmitType(CreateProposalDto, ['jobId']), {
  skipNullProperties: false,
}) {}

/** Sort orders of the list. */
export const PROPOSAL_SORTS = ['-createdAt', 'createdAt', '-updatedAt', 'updatedAt'] as const;

/** Query of GET /v1/proposals. */
export class ListProposalsDto extends PageQueryDto {
  @IdParam({ description: 'Only proposals for this job.', example: 42 })
  jobId?: number;

  @EnumListParam(PROPOSAL_STATUSES, {
    description: 'Only proposals with one of these statuses; repeat the parameter or separate by commas.',
    example: ['submitted', 'accepted'],
  })
  status?: ProposalStatus[];

  @EnumField(PROPOSAL_SORTS, {
    optional: true,
    default: '-createdAt',
    description: 'Sort order; a minus sorts newest first.',
    example: '-createdAt',
  })
  sort: (typeof PROPOSAL_SORTS)[number] = '-createdAt';
}

/** A proposal as the API returns it. */
export class ProposalDto extends ResponseType(CreateProposalDto) {
  @ApiId('Id of the proposal.')
  id: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "Upwork's id of the proposal; null until a sync finds it.",
    example: null,
  })
  upworkProposalId: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "Upwork's own status at the last sync; `status` is its equivalent here.",
    example: null,
  })
  upworkStatus: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why it was declined or withdrawn, in the words of Upwork; null when Upwork states no reason.',
    example: null,
  })
  upworkReason: string | null;

  @ApiProperty({ enum: PROPOSAL_STATUSES, description: 'Status of the proposal.', example: 'draft' })
  status: ProposalStatus;

  @ApiInstant({ description: 'When it was submitted (UTC); null for a draft.', nullable: true })
  submittedAt: Date | null;

  @ApiVersionNumber()
  version: number;

  @ApiInstant({ description: 'When it was created (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When it was last changed (UTC).' })
  updatedAt: Date;

  /** Builds the DTO from a row. */
  static from(this: void, proposal: ProposalDto): ProposalDto {
    return pickFields(ProposalDto, proposal);
  }
}

/** One status of a proposal, with its time. */
export class ProposalStatusChangeDto {
  @ApiProperty({ enum: PROPOSAL_STATUSES, description: 'Status that the proposal got.', example: 'submitted' })
  status: ProposalStatus;

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      "Upwork's own status, for example Activated (in conversation) or Offered; null for a change made here, and for " +
      'a submission that was not seen while it was the latest status.',
    example: 'Accepted',
  })
  upworkStatus: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The reason that Upwork states for this status.',
    example: null,
  })
  upworkReason: string | null;

  @ApiInstant({ description: 'When it changed on Upwork, or here (UTC).' })
  changedAt: Date;

  @ApiInstant({ description: 'When a sync found it, or the change was made here (UTC).' })
  seenAt: Date;
}

/** The statuses of a proposal. */
export class ProposalStatusChangesDto {
  @ApiProperty({ type: [ProposalStatusChangeDto], description: 'Statuses, the earliest first.' })
  items: ProposalStatusChangeDto[];
}
