import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IntegerParam, ListParam, OptionalField } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';
import { PROPOSAL_STATUSES, type ProposalStatus } from '../proposal-status';

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
