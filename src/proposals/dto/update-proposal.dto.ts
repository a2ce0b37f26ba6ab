import { OmitType, PartialType } from '@nestjs/swagger';
import { CreateProposalDto } from './create-proposal.dto';

/** A merge patch of a draft; the job it is for stays. */
export class UpdateProposalDto extends PartialType(OmitType(CreateProposalDto, ['jobId']), {
  skipNullProperties: false,
}) {}
